#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What people get wrong, and the exact text they get.

load helpers

setup() {
	common_setup
	need_base
}

# says STATUS [ARG...]: build ctx; what is printed from the first diagnostic on is standard input,
# but for the ID of the build
says() {
	local want=$1
	shift
	run bld build --progress=plain "$@" ctx
	equal "$status" "$want"
	diff - <(grep -v '^#' <<<"$output" | sed -E 's/bld logs [0-9-]+/bld logs ID/')
}

@test "instructions that are none: all at once" {
	dockerfile <<-'END'
		FROM localhost/base
		RUM echo hi
		COPPY a b
	END
	says 3 <<-'END'
		Dockerfile:2:1: error: unknown instruction "RUM"
		    1 | FROM localhost/base
		    2 | RUM echo hi
		      | ^~~
		   = help: did you mean RUN?
		Dockerfile:3:1: error: unknown instruction "COPPY"
		    1 | FROM localhost/base
		    2 | RUM echo hi
		    3 | COPPY a b
		      | ^~~~~
		   = help: did you mean COPY?
		2 errors, 0 warnings
	END
}

@test "a command that is not there" {
	dockerfile <<-'END'
		FROM localhost/base
		RUN mkdri /x && echo done
	END
	says 1 <<-'END'
		------ last 1 line of [1/1] RUN mkdri /x && echo done
		  /bin/sh: mkdri: not found
		------
		Dockerfile:2:1: error: RUN failed with exit status 127
		    1 | FROM localhost/base
		    2 | RUN mkdri /x && echo done
		      | ^~~~~~~~~~~~~~~~~~~~~~~~~
		   = help: "mkdri" is in no directory of PATH: install it, or look for a misspelt name
		note: complete output of the step: bld logs ID 1
	END
}

@test "a file whose name is mistyped" {
	touch ctx/requirements.txt
	dockerfile <<-'END'
		FROM localhost/base
		COPY requirments.txt /
	END
	says 4 <<-'END'
		Dockerfile:2:6: error: requirments.txt: not found in the build context
		    1 | FROM localhost/base
		    2 | COPY requirments.txt /
		      |      ^~~~~~~~~~~~~~~
		   = help: did you mean requirements.txt?
	END
}

@test "a file of a base image's ONBUILD" {
	mkdir on
	printf 'FROM localhost/base\nONBUILD COPY app.conf /etc/\n' >on/Dockerfile
	build -t onbuild on
	printf 'FROM onbuild\n' | dockerfile
	says 4 <<-'END'
		ONBUILD of the base image:1:6: error: app.conf: not found in the build context
		    1 | COPY app.conf /etc/
		      |      ^~~~~~~~
		   = help: it holds Dockerfile
	END
}

@test "an ARG in FROM that nobody declared" {
	dockerfile <<-'END'
		FROM localhost/base:$TAG
	END
	run bld build --progress=plain ctx
	equal "$(sed -n '/: error: /,$p' <<<"$output")" "$(cat <<-'END'
		Dockerfile:1:6: error: invalid image name "localhost/base:": a tag is 1 to 128 letters, digits, _ . - and begins with a letter, digit or _
		    1 | FROM localhost/base:$TAG
		      |      ^~~~~~~~~~~~~~~~~~~
		   = $TAG is not set
		   = help: declare it with ARG TAG=VALUE before the first FROM
	END
	)"
}

@test "scratch has no shell; a file that is not executable" {
	dockerfile <<-'END'
		FROM scratch
		COPY Dockerfile /
		RUN echo hi
	END
	says 1 <<-'END'
		Dockerfile:3:1: error: RUN could not start "/bin/sh": No such file or directory
		    1 | FROM scratch
		    2 | COPY Dockerfile /
		    3 | RUN echo hi
		      | ^~~~~~~~~~~
		   = help: /bin/sh is not in the image: use the exec form, RUN ["/program", "argument"], or a base with a shell
		note: complete output of the step: bld logs ID 2
	END
	dockerfile <<-'END'
		FROM scratch
		COPY Dockerfile /
		RUN ["/Dockerfile"]
	END
	says 1 <<-'END'
		Dockerfile:3:1: error: RUN could not start "/Dockerfile": Permission denied
		    1 | FROM scratch
		    2 | COPY Dockerfile /
		    3 | RUN ["/Dockerfile"]
		      | ^~~~~~~~~~~~~~~~~~~
		   = help: /Dockerfile is not executable, its mode is 0644: chmod +x, or COPY --chmod=755
		note: complete output of the step: bld logs ID 2
	END
}

@test "a script that is not executable" {
	dockerfile <<-'END'
		FROM localhost/base
		RUN echo 'echo hi' > /r
		RUN /r
	END
	says 1 <<-'END'
		------ last 1 line of [2/2] RUN /r
		  /bin/sh: /r: Permission denied
		------
		Dockerfile:3:1: error: RUN failed with exit status 126
		    1 | FROM localhost/base
		    2 | RUN echo 'echo hi' > /r
		    3 | RUN /r
		      | ^~~~~~
		   = help: /r is not executable, its mode is 0644: chmod +x, or COPY --chmod=755
		note: complete output of the step: bld logs ID 2
	END
}

@test "a script with line ends of Windows" {
	printf '#!/bin/sh\r\necho hi\r\n' >ctx/run.sh
	chmod +x ctx/run.sh
	dockerfile <<-'END'
		FROM localhost/base
		COPY run.sh /run.sh
		RUN /run.sh
	END
	run bld build --progress=plain ctx
	equal "$status" 1
	has "$output" '^Dockerfile:3:1: error: RUN failed with exit status 127$'
	has "$output" '= help: the #! line of /run.sh ends in a carriage return: it has line ends of Windows'
}

@test "a secret that was not given" {
	dockerfile <<-'END'
		FROM localhost/base
		RUN --mount=type=secret,id=npm,required=true cat /run/secrets/npm
	END
	run bld build --progress=plain ctx
	equal "$status" 1
	has "$output" '^Dockerfile:2:5: error: the secret "npm" was not given$'
	has "$output" '^   = help: pass it with --secret id='
}

@test "a name that is nowhere: localhost/NAME is usually an image of the store" {
	dockerfile <<-'END'
		FROM localhost/nothing
	END
	run bld build --progress=plain ctx
	equal "$status" 5
	has "$output" '^Dockerfile:1:6: error: localhost: '
	has "$output" '= help: no registry answers at localhost; an image built here would be in the store: "bld images" lists them'
}
