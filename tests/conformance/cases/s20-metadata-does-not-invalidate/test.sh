df() { printf 'FROM localhost/base\n%s\nRUN head -c 9 /dev/urandom | md5sum > /x\n%s\n' "$1" "$2" > "$dir/Dockerfile"; }
sum() { tree | grep '^/x ' | sed 's/.*sha=//'; }
df 'LABEL a=1' 'CMD ["a"]'; b; one=$(sum)
for meta in 'LABEL a=2' 'EXPOSE 80' 'VOLUME /v' 'STOPSIGNAL 9' 'HEALTHCHECK CMD x' 'ONBUILD RUN x' 'MAINTAINER x' 'CMD ["q"]' 'ENTRYPOINT ["e"]'; do
	df "$meta" 'LABEL z=1'; b; [ "$(sum)" = "$one" ] || fail "$meta: RUN ran again"
done
for real in 'ENV A=1' 'WORKDIR /w' 'USER 1' 'SHELL ["/bin/busybox", "sh", "-c"]' 'ARG Q=1'; do
	df "$(printf '%s' "$real")" 'LABEL z=1'
	[ "$real" != 'USER 1' ] || printf 'FROM localhost/base\nUSER 1\nRUN head -c 9 /dev/urandom | md5sum > /tmp/x\n' > "$dir/Dockerfile"
	b; [ "$(sum)" != "$one" ] || fail "$real: RUN did not run again"
done
