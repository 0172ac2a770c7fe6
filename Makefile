# SPDX-License-Identifier: Apache-2.0
# The only build file. Out of tree: everything made lands in $(BUILD).
#
#   make                    optimised bld in build/bld
#   make check              every test the caller's privilege allows
#   make check-unit         unit tests and corpus replay, small sizes, without those that start servers
#   make check-fast         lint, check-unit and a few e2e files: before a commit
#   make check-forms        e2e once per form of layers, and with kernel features refused
#   make check-tsan         unit suites with threads under ThreadSanitizer
#   make check-clang        unit tests and corpora under clang's ASan and UBSan
#   make lint               layer rules, exports, sizes, format
#   make analyze            gcc -fanalyzer and clang-tidy: no finding; analyze-gcc: the first of them
#   make fuzz F=expand T=60 one fuzz target for T seconds (SAN=memory: under MSan)
#   make fuzz-all T=1800 ST=600  every target, resumable; fuzz-coverage: lines they reach
#   make bench              workloads against buildah and the raw limits
#   make bench-check        instructions and system calls against stored budgets
#   make bench-plots        cost against size, as SVG
#   make bench-memory       peak memory of a very large file and of very many files
#   make check-docker LAB=DIR         the conformance cases with docker and buildah as well (tests/judges)
#   make check-docker-random LAB=DIR  random Dockerfiles with docker: N=2000 SEED=1
#   make demo               what examples/demo.sh shows, packages already there
#   make install DESTDIR= PREFIX=/usr/local
#
# Variables: CC CFLAGS BUILD SAN=address,undefined COV=1 V=1 DEV=1 (warnings are errors)

BUILD   ?= build
PREFIX  ?= /usr/local
CFLAGS  ?= -O2 -g
SAN     ?=
V       ?=
Q       := $(if $(V),,@)

# Bound when the program starts, and loaded when first called (store/base/dynlib.h: headers only).
PKGS      := jansson
LAZY_PKGS := libarchive libcurl libcrypto libseccomp libzstd zlib libisal
# Only what compiles C needs the libraries; install, clean and help do not.
PKG_CFLAGS := $(shell pkg-config --cflags $(PKGS) $(LAZY_PKGS) 2>/dev/null)
PKG_LIBS   := -Wl,--as-needed $(shell pkg-config --libs $(PKGS) 2>/dev/null)
# Judges of the unit tests.
TEST_LIBS  := $(shell pkg-config --libs libarchive libcrypto libseccomp zlib libzstd 2>/dev/null) -lcmocka

VERSION := $(shell cat docs/VERSION 2>/dev/null || echo 0)

WARN := -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
        -Wwrite-strings -Wvla -Wformat=2 -Wundef -Wpointer-arith -Wcast-qual \
        -Wimplicit-fallthrough -Wno-missing-field-initializers
# Another compiler knows other warnings: an error is one only for who works on bld, and in CI.
ifneq ($(DEV),)
WARN += -Werror
endif
HARD := -fstack-protector-strong -fPIE -fno-common -fno-strict-aliasing
LDHARD := -pie -Wl,-z,relro,-z,now
ifeq ($(SAN),)
# A level that the flags or the compiler bring counts; without optimisation there is none.
MACROS := $(shell $(CC) $(CPPFLAGS) $(CFLAGS) -dM -E -x c /dev/null 2>/dev/null | grep -oE '_FORTIFY_SOURCE|__OPTIMIZE__')
ifeq ($(filter _FORTIFY_SOURCE,$(MACROS)),)
HARD += $(if $(MACROS),-D_FORTIFY_SOURCE=2)
endif
else
HARD += -fsanitize=$(SAN) -fno-sanitize-recover=undefined -fno-omit-frame-pointer
LDHARD += -fsanitize=$(SAN)
endif
ifneq ($(COV),)
HARD += --coverage
LDHARD += --coverage
endif

CPPFLAGS_ALL := -std=gnu11 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -I. -I$(BUILD)/gen \
                -DBLD_VERSION='"$(VERSION)"' $(PKG_CFLAGS) $(CPPFLAGS)
COMPILE = $(CC) $(CPPFLAGS_ALL) $(WARN) $(HARD) $(CFLAGS) -MMD -MP -c

PARSER_SRC  := $(wildcard parser/*.c)
STORE_SRC   := $(wildcard store/*.c store/*/*.c)
BUILDER_SRC := $(filter-out builder/main.c,$(wildcard builder/*.c builder/*/*.c))
GEN_SRC     := $(BUILD)/gen/parser/lexer.c $(BUILD)/gen/parser/grammar.c

PARSER_OBJ  := $(PARSER_SRC:%.c=$(BUILD)/obj/%.o) $(GEN_SRC:$(BUILD)/gen/%.c=$(BUILD)/obj/gen/%.o)
STORE_OBJ   := $(STORE_SRC:%.c=$(BUILD)/obj/%.o)
BUILDER_OBJ := $(BUILDER_SRC:%.c=$(BUILD)/obj/%.o)

LIBS := $(BUILD)/libbuilder.a $(BUILD)/libstore.a $(BUILD)/libparser.a

UNIT_BIN  := $(patsubst tests/unit/%.c,$(BUILD)/unit/%,$(wildcard tests/unit/*_test.c))
FUZZ_SRC  := $(wildcard tests/fuzz/fuzz_*.c)
REPLAY_BIN := $(patsubst tests/fuzz/%.c,$(BUILD)/replay/%,$(FUZZ_SRC))
SUPPORT_SRC := $(wildcard tests/support/*.c)
SUPPORT_OBJ := $(SUPPORT_SRC:%.c=$(BUILD)/obj/%.o)
TOOL_BIN  := $(patsubst tests/tools/%.c,$(BUILD)/tools/%,$(wildcard tests/tools/*.c))
PLANTED := $(patsubst tests/bench/planted/%.c,$(BUILD)/bench/bld-%,$(wildcard tests/bench/planted/*.c))
BENCH_BIN := $(patsubst tests/bench/%.c,$(BUILD)/bench/%,$(wildcard tests/bench/*.c))

.DEFAULT_GOAL := all
.PHONY: all analyze analyze-gcc test-objects check check-unit check-fast check-e2e check-forms check-inject check-asan check-tsan check-clang check-conformance check-docker check-docker-random lint fuzz bench bench-check bench-budgets bench-planted bench-plots bench-memory demo install man clean tools format
.DELETE_ON_ERROR:

# Named, the objects of programs are none that make throws away behind the link. (.SECONDARY for all
# would do that too, but then a library newer than a source file that it lacks counts as made.)
test-objects: $(UNIT_BIN:$(BUILD)/unit/%=$(BUILD)/obj/tests/unit/%.o) $(REPLAY_BIN:$(BUILD)/replay/%=$(BUILD)/obj/tests/fuzz/%.o) \
	$(PLANTED:$(BUILD)/bench/bld-%=$(BUILD)/obj/tests/bench/planted/%.o)

all: $(BUILD)/bld

$(BUILD)/bld: $(BUILD)/obj/builder/main.o $(LIBS)
	@echo "  LD   $@"
	$(Q)$(CC) $(LDHARD) $(LDFLAGS) -o $@ $^ $(PKG_LIBS) -lpthread

$(BUILD)/libparser.a: $(PARSER_OBJ)
$(BUILD)/libstore.a: $(STORE_OBJ)
$(BUILD)/libbuilder.a: $(BUILDER_OBJ)
$(BUILD)/lib%.a:
	@echo "  AR   $@"
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(BUILD)/obj/%.o: %.c
	@mkdir -p $(@D)
	@echo "  CC   $<"
	$(Q)$(COMPILE) -o $@ $<

# Generated sources: their own warning flags, never in the repository.
$(BUILD)/gen/parser/grammar.c $(BUILD)/gen/parser/grammar.h &: parser/grammar.y
	@mkdir -p $(@D)
	@echo "  BISON $<"
	$(Q)bison $(if $(DEV),-Werror) --header=$(BUILD)/gen/parser/grammar.h -o $(BUILD)/gen/parser/grammar.c $<

$(BUILD)/gen/parser/lexer.c $(BUILD)/gen/parser/lexer.h &: parser/lexer.l
	@mkdir -p $(@D)
	@echo "  FLEX $<"
	$(Q)flex --header-file=$(BUILD)/gen/parser/lexer.h -o $(BUILD)/gen/parser/lexer.c $<

$(BUILD)/obj/gen/%.o: $(BUILD)/gen/%.c | $(BUILD)/gen/parser/grammar.h $(BUILD)/gen/parser/lexer.h
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS_ALL) $(HARD) $(CFLAGS) -w -MMD -MP -c -o $@ $<

$(PARSER_OBJ): | $(BUILD)/gen/parser/grammar.h $(BUILD)/gen/parser/lexer.h

# --- tests ---------------------------------------------------------------

$(BUILD)/unit/%: $(BUILD)/obj/tests/unit/%.o $(SUPPORT_OBJ) $(LIBS)
	@mkdir -p $(@D)
	$(Q)$(CC) $(LDHARD) $(LDFLAGS) -o $@ $^ $(PKG_LIBS) $(TEST_LIBS) -lpthread

$(BUILD)/replay/%: $(BUILD)/obj/tests/fuzz/%.o $(BUILD)/obj/tests/fuzz/driver.o $(LIBS)
	@mkdir -p $(@D)
	$(Q)$(CC) $(LDHARD) $(LDFLAGS) -o $@ $^ $(PKG_LIBS) -lz -lpthread

$(BUILD)/tools/%: tests/tools/%.c
	@mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 -D_GNU_SOURCE -I. $(WARN) -O2 -o $@ $< -lseccomp

$(BUILD)/bench/%: tests/bench/%.c
	@mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 -D_GNU_SOURCE -I. $(WARN) -O2 -o $@ $< $(BENCH_LIBS)
$(BUILD)/bench/rawtiny: BENCH_LIBS := -static -lpthread
$(BUILD)/bench/rawbulk: BENCH_LIBS := -lisal -lcrypto -lpthread

tools: $(TOOL_BIN)

check: all $(UNIT_BIN) $(REPLAY_BIN) $(TOOL_BIN) $(PLANTED)
	$(Q)BUILD=$(BUILD) bash tests/run-all.sh

QUICK ?= 1
check-unit: $(UNIT_BIN) $(REPLAY_BIN)
	$(Q)BUILD=$(BUILD) BLD_TEST_QUICK=$(QUICK) bash tests/run-all.sh unit

check-fast: all $(UNIT_BIN) $(REPLAY_BIN) $(TOOL_BIN)
	$(Q)BUILD=$(BUILD) BLD_TEST_QUICK=1 bash tests/run-all.sh lint unit few

check-e2e: all $(TOOL_BIN)
	$(Q)BUILD=$(BUILD) bash tests/run-all.sh e2e

# Commands on every form of layers and without features of the kernel: the whole matrix.
check-forms: all $(TOOL_BIN)
	$(Q)BUILD=$(BUILD) FORMS=$(or $(FORMS),all) bash tests/run-all.sh forms

# Every call of bld fails once with every error that fits it (hours; goes on where it was).
check-inject: all $(BUILD)/tools/inject
	$(Q)BUILD=$(BUILD) python3 tests/inject/inject.py

check-conformance: all $(TOOL_BIN)
	$(Q)BUILD=$(BUILD) bash tests/run-all.sh conformance

check-asan:
	$(Q)$(MAKE) BUILD=$(BUILD)/asan SAN=address,undefined CFLAGS="-O1 -g" check

# clang's sanitizers see what gcc's do not (arithmetic with null pointers). All unit tests, small
# sizes.
CLANG ?= clang
check-clang:
	$(Q)$(MAKE) BUILD=$(BUILD)/clang CC="$(CLANG)" DEV=1 SAN=address,undefined CFLAGS="-O1 -gline-tables-only" check-unit QUICK=sizes

# Unit suites with threads, under ThreadSanitizer, whose shadow wants addresses that are not random.
# Not sandbox_run: one of its tests starts threads in a forked child, which the sanitizer refuses.
TSAN_TESTS := thread hashpipe copy_ahead copy_digest copy_extract copy_index copy_recall blob layer_compress \
	registry registry_grow push_types transfer archive download http auth store child gc \
	ui_plain ui_tty result cachekey step history explain sandbox_index
check-tsan:
	$(Q)$(MAKE) BUILD=$(BUILD)/tsan SAN=thread CFLAGS="-O1 -g" $(TSAN_TESTS:%=$(BUILD)/tsan/unit/%_test)
	$(Q)for t in $(TSAN_TESTS); do setarch -R $(BUILD)/tsan/unit/$${t}_test || exit 1; done

# The judges are not part of `make check`: they need a chroot with docker and buildah, and time.
N    ?= 2000
SEED ?= 1
check-docker: all
	$(Q)BUILD=$(BUILD) LAB=$(LAB) python3 tests/judges/check.py $(RECORD:%=--record)

check-docker-random: all
	$(Q)BUILD=$(BUILD) LAB=$(LAB) python3 tests/judges/random_builds.py --seed $(SEED) --count $(N) \
		$(RECORD:%=--record)

lint:
	$(Q)BUILD=$(BUILD) bash tests/lint/run.sh

# Each file once, and again when it or what it includes has changed. The checks of clang-tidy, and why
# not others, are in tests/lint/clang-tidy.yaml. Optimised, as gcc's looks through what is inlined then.
ANALYZER ?= gcc
TIDY ?= clang-tidy
ANALYZE_SRC := $(PARSER_SRC) $(STORE_SRC) $(BUILDER_SRC) builder/main.c
analyze-gcc: $(ANALYZE_SRC:%.c=$(BUILD)/analyze/%.gcc)
analyze: analyze-gcc $(ANALYZE_SRC:%.c=$(BUILD)/analyze/%.tidy)

$(BUILD)/analyze/%.gcc: %.c | $(BUILD)/gen/parser/grammar.h $(BUILD)/gen/parser/lexer.h
	@mkdir -p $(@D)
	$(Q)$(ANALYZER) $(CPPFLAGS_ALL) -O2 -fanalyzer -fdiagnostics-plain-output -Werror -MMD -MP -MT $@ -MF $(@:.gcc=.d) -S -o /dev/null $<
	$(Q)touch $@

$(BUILD)/analyze/%.tidy: $(BUILD)/analyze/%.gcc tests/lint/clang-tidy.yaml
	$(Q)$(TIDY) --quiet --config-file=tests/lint/clang-tidy.yaml $*.c -- $(CPPFLAGS_ALL)
	$(Q)touch $@

# libFuzzer needs clang. One target: make fuzz F=walk T=60 [SAN=memory]; fuzz-build only makes it;
# fuzz-all runs every target T seconds under ASan and UBSan and ST seconds under MSan, and goes on
# where it was stopped; fuzz-coverage counts the lines of parsers that the corpora reach.
F ?= dockerfile
T ?= 60
comma := ,
FUZZ_CC ?= clang
FUZZ_SAN   := $(or $(SAN),address$(comma)undefined)
FUZZ_BUILD := $(BUILD)/fuzz$(if $(filter memory,$(FUZZ_SAN)),-memory)
FUZZ_LIBS  := $(FUZZ_BUILD)/libbuilder.a $(FUZZ_BUILD)/libstore.a $(FUZZ_BUILD)/libparser.a
# Structure-aware mutators and dictionaries that several targets share.
FUZZ_MUTATOR_walk := tar
FUZZ_MUTATOR_index := tar
FUZZ_MUTATOR_archive := tar
FUZZ_MUTATOR_inflate := inflate
FUZZ_EXTRA := $(patsubst %,tests/fuzz/mutate_%.c,$(FUZZ_MUTATOR_$(F))) $(if $(filter memory,$(FUZZ_SAN)),tests/fuzz/msan.c)
# What tests/fuzz/msan.c stands in front of.
FUZZ_WRAP  := $(addprefix -Wl$(comma)--wrap=,json_loadb json_dumps fstat64 stat64 lstat64 fstatat64 fstatfs64 statx fgetxattr)
FUZZ_DICT  := $(firstword $(wildcard tests/fuzz/$(F).dict tests/fuzz/$(FUZZ_MUTATOR_$(F)).dict))
FUZZ_SEEDS := $(wildcard tests/fuzz/corpus/$(F) tests/fuzz/crash/$(F))
.PHONY: fuzz-build fuzz-all fuzz-coverage
fuzz-build:
	$(Q)$(MAKE) --no-print-directory BUILD=$(FUZZ_BUILD) CC="$(FUZZ_CC)" CFLAGS="-O1 -g" SAN=fuzzer-no-link,$(FUZZ_SAN) $(FUZZ_LIBS)
	$(Q)$(FUZZ_CC) $(CPPFLAGS_ALL) -I$(FUZZ_BUILD)/gen -O1 -g -Wall -Wextra -Wno-missing-field-initializers -fsanitize=fuzzer,$(FUZZ_SAN) \
	    -fno-sanitize-recover=undefined -o $(FUZZ_BUILD)/fuzz_$(F) tests/fuzz/fuzz_$(F).c $(FUZZ_EXTRA) \
	    $(if $(filter memory,$(FUZZ_SAN)),$(FUZZ_WRAP)) \
	    $(FUZZ_LIBS) $(PKG_LIBS) -lz $(if $(filter inflate,$(F)),-lzstd) -lpthread

fuzz: fuzz-build
	@mkdir -p $(FUZZ_BUILD)/work/$(F)
	$(Q)$(FUZZ_BUILD)/fuzz_$(F) $(addprefix -dict=,$(FUZZ_DICT)) -max_total_time=$(T) -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
	    -artifact_prefix=$(FUZZ_BUILD)/$(F)- $(FUZZ_BUILD)/work/$(F) $(FUZZ_SEEDS)

fuzz-all:
	$(Q)BUILD=$(BUILD) T=$(T) ST=$(or $(ST),$(T)) bash tests/fuzz/all.sh $(if $(filter command line,$(origin F)),$(F))

fuzz-coverage:
	$(Q)BUILD=$(BUILD) bash tests/fuzz/coverage.sh

bench: all $(BENCH_BIN) $(TOOL_BIN)
	$(Q)BUILD=$(BUILD) python3 tests/bench/bench.py

bench-plots: all $(BENCH_BIN)
	$(Q)BUILD=$(BUILD) python3 tests/bench/plots.py

bench-memory: all $(BENCH_BIN)
	$(Q)BUILD=$(BUILD) python3 tests/bench/memory.py

# Budgets are written when somebody asks for it, never by a check.
bench-check: all
	$(Q)BUILD=$(BUILD) python3 tests/bench/budgets.py check

# Programs with a planted regression, which the budgets must find.
$(BUILD)/bench/bld-stat: WRAP := -Wl,--wrap=fstatat64,--wrap=statx,--wrap=openat64,--wrap=__openat64_2,--wrap=syscall
$(BUILD)/bench/bld-fork: WRAP := -Wl,--wrap=syscall
$(BUILD)/bench/bld-%: $(BUILD)/obj/tests/bench/planted/%.o $(BUILD)/obj/builder/main.o $(LIBS)
	@mkdir -p $(@D)
	$(Q)$(CC) $(LDHARD) $(LDFLAGS) $(WRAP) -o $@ $^ $(PKG_LIBS) -lpthread
bench-planted: bench-check $(PLANTED)
	$(Q)BUILD=$(BUILD) bash tests/bench/planted.sh

bench-budgets: all
	$(Q)BUILD=$(BUILD) python3 tests/bench/budgets.py write

demo: all
	$(Q)BUILD=$(BUILD) sh examples/demo-run.sh

man: $(patsubst docs/%.scd,$(BUILD)/man/%,$(wildcard docs/*.scd))
$(BUILD)/man/%: docs/%.scd
	@mkdir -p $(@D)
	$(Q)scdoc < $< > $@

install: all
	install -D -m 0755 $(BUILD)/bld $(DESTDIR)$(PREFIX)/bin/bld
	if command -v scdoc >/dev/null; then $(MAKE) man && for m in $(BUILD)/man/*.1; do install -D -m 0644 $$m $(DESTDIR)$(PREFIX)/share/man/man1/$${m##*/}; done; fi

format:
	$(Q)git ls-files '*.c' '*.h' | xargs clang-format -i

clean:
	rm -rf $(BUILD)

-include $(shell find $(BUILD)/obj $(BUILD)/analyze -name '*.d' 2>/dev/null)
