sum() { tree | grep '^/x ' | sed 's/.*sha=//'; }
mkdir -p ctx/d/s; echo 1 > ctx/d/f; echo 2 > ctx/d/s/g; ln -s f ctx/d/l; chmod 644 ctx/d/f
b; one=$(sum)
same() { b; [ "$(sum)" = "$one" ] || { fail "$1: ran again"; one=$(sum); }; }
other() { b; [ "$(sum)" != "$one" ] || fail "$1: did not run again"; one=$(sum); }
same "nothing changed"
touch -d @1 ctx/d/f ctx/d ctx/d/s; same "times"
echo > ctx/unused; same "a file that is not copied"
cp ctx/d/f ctx/f.new && mv ctx/f.new ctx/d/f; same "another inode of equal content"
chown 12:34 ctx/d/f; same "the owner of a context file"
chmod 600 ctx/d/f; other "mode"
echo 3 > ctx/d/f; other "content"
ln -sf s ctx/d/l; other "link target"
mv ctx/d/f ctx/d/ff; other "name"
mkdir ctx/d/empty; other "an empty directory"
setfattr -n user.x -v y ctx/d/ff; other "attribute"
echo more >> ctx/d/s/g; other "size"
b --no-cache; [ "$(sum)" != "$one" ] || fail "--no-cache: did not run again"
