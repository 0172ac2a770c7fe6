#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# make bench: workloads against Debian's buildah and against the raw limit of each, interleaved in one run.
# Prints a table and JSON lines (BENCH_JSON=FILE, default build/bench.jsonl). Asserts no time.
#   BENCH_ROUNDS=3    rounds of each (buildah: at most BENCH_PEER_ROUNDS=1 for the large ones)
#   BENCH_ONLY="W1 W3"
# Nothing is deleted while it runs: mass deletes make ext4 slow for minutes. Remove $BENCH_DIR afterwards.
set -euo pipefail
BUILD=${BUILD:-build}
bld=$(realpath "$BUILD/bld")
raw=$(realpath "$BUILD/bench/rawlimit")
dir=${BENCH_DIR:-$(mktemp -d "${TMPDIR:-/tmp}/bld-bench.XXXXXX")}
json=${BENCH_JSON:-$BUILD/bench.jsonl}
rounds=${BENCH_ROUNDS:-3}
peer_rounds=${BENCH_PEER_ROUNDS:-1}
only=${BENCH_ONLY:-W1 W2 W3 W4 W5}
mkdir -p "$dir"
: >"$json"
export BLD_ROOT=$dir/store BLD_PROGRESS=quiet

python3 "$(dirname "$0")/contexts.py" "$dir"

# A base for RUN: busybox and nothing else.
mkdir -p "$dir/base/bin"
cp /bin/busybox "$dir/base/bin/busybox"
ln -f "$dir/base/bin/busybox" "$dir/base/bin/sh"
ln -f "$dir/base/bin/busybox" "$dir/base/bin/true"
printf 'FROM scratch\nCOPY . /\nENV PATH=/bin\n' >"$dir/base.Dockerfile"
"$bld" build -q -t bench-base -f "$dir/base.Dockerfile" "$dir/base" >/dev/null

have_buildah=
if command -v buildah >/dev/null; then
	have_buildah=1
	export STORAGE_DRIVER=overlay
	bopt=(--root "$dir/b-root" --runroot "$dir/b-run")
	buildah "${bopt[@]}" bud --isolation=chroot -q -t bench-base -f "$dir/base.Dockerfile" "$dir/base" >/dev/null 2>"$dir/buildah.log" ||
		{ echo "buildah does not work here: $(tail -1 "$dir/buildah.log")" >&2; have_buildah=; }
fi

# time_one NAME WHO COMMAND...: one JSON line with wall seconds, cpu seconds and peak memory
time_one() {
	local name=$1 who=$2
	shift 2
	python3 "$(dirname "$0")/timeone.py" "$name" "$who" "$@" >>"$json"
}

workload() { # NAME, then reads: raw command in RAW, bld in BLD, buildah in PEER (arrays)
	local name=$1 n=$2 pn=$3 i
	case " $only " in *" $name "*) ;; *) return 0 ;; esac
	for ((i = 0; i < n; i++)); do
		"${SETUP[@]:-true}" "$i"
		time_one "$name" raw "${RAW[@]}"
		time_one "$name" bld "${BLD[@]}"
		if [ -n "$have_buildah" ] && ((i < pn)); then time_one "$name" buildah "${PEER[@]}"; fi
	done
}
SETUP=(true)
peer=(buildah "${bopt[@]:-}" bud --isolation=chroot -q)

printf 'FROM scratch\nCOPY one /one\n' >"$dir/w1.Dockerfile"
mkdir -p "$dir/raw"
RAW=("$raw" publish "$dir/raw" "$dir/w1/one")
BLD=("$bld" build -q --no-cache -f "$dir/w1.Dockerfile" "$dir/w1")
PEER=("${peer[@]}" --no-cache -f "$dir/w1.Dockerfile" "$dir/w1")
workload W1 $((rounds * 3)) "$rounds"

{ echo 'FROM bench-base'; echo 'COPY . /src'; for i in $(seq 19); do echo "RUN echo $i"; done; } >"$dir/w2.Dockerfile"
case " $only " in *" W2 "*)
	"$bld" build -q -f "$dir/w2.Dockerfile" "$dir/w2" >/dev/null
	if [ -n "$have_buildah" ]; then "${peer[@]}" --layers -f "$dir/w2.Dockerfile" "$dir/w2" >/dev/null 2>&1 || true; fi ;;
esac
RAW=("$raw" stat "$dir/w2")
BLD=("$bld" build -q -f "$dir/w2.Dockerfile" "$dir/w2")
PEER=("${peer[@]}" --layers -f "$dir/w2.Dockerfile" "$dir/w2")
workload W2 "$rounds" "$peer_rounds"

{ echo 'FROM bench-base'; for _ in $(seq 50); do echo 'RUN ["/bin/true"]'; done; } >"$dir/w3.Dockerfile"
fresh_scratch() { local s=$dir/scratch.$$.$1; mkdir -p "$s"; RAW=("$raw" runs 50 "$dir/base" "$s"); }
SETUP=(fresh_scratch)
BLD=("$bld" build -q --no-cache -f "$dir/w3.Dockerfile" "$dir/w1")
PEER=("${peer[@]}" --layers --no-cache -f "$dir/w3.Dockerfile" "$dir/w1")
workload W3 "$rounds" "$peer_rounds"
SETUP=(true)

printf 'FROM scratch\nCOPY big /big\n' >"$dir/w4.Dockerfile"
RAW=("$raw" hash "$dir/w4/big")
BLD=("$bld" build -q --no-cache -f "$dir/w4.Dockerfile" "$dir/w4")
PEER=("${peer[@]}" --no-cache -f "$dir/w4.Dockerfile" "$dir/w4")
workload W4 "$rounds" "$peer_rounds"

printf 'FROM scratch\nCOPY . /src\n' >"$dir/w5.Dockerfile"
RAW=("$raw" hashtree "$dir/w5")
BLD=("$bld" build -q --no-cache -f "$dir/w5.Dockerfile" "$dir/w5")
PEER=("${peer[@]}" --no-cache -f "$dir/w5.Dockerfile" "$dir/w5")
workload W5 "$rounds" "$peer_rounds"

python3 "$(dirname "$0")/table.py" "$json"
echo "records: $json   work directory: $dir"
