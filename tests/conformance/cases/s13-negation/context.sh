printf '*\n!keep\n!d/in\nd/in/not\n!d/in/not/butthis\n! spaced\n' > .dockerignore
mkdir -p keep/sub d/in/not other; touch keep/sub/f d/in/f d/out d/in/not/f d/in/not/butthis other/f file spaced
