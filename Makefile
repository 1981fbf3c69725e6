# buildlog: records any command. GNU make.
#
#   make              build/buildlog, build/libbuildlog.a and build/libbuildlog.so
#   make check        every test a clean machine can run
#   make check-san    the same under AddressSanitizer and UndefinedBehaviorSanitizer
#   make check-arm    what is written for each processor apart, for 64-bit ARM, under qemu;
#                     check-x86: for older x86
#   make check-tsan   what has threads, under ThreadSanitizer
#   make lint         clang-tidy, cppcheck, shellcheck, mandoc -Tlint, complexity
#   make fuzz         libFuzzer on each target for FUZZ_SECONDS (60); make fuzz-afl: AFL++
#   make bench        figures, each a ratio against a peer in one run
#   make bench-store  figures of the reading commands over 100,000 builds
#   make bench-query  figures of the search, beside grep's
#   make bench-tail   figures of following, beside tail(1)'s
#   make bench-tty    figures at a terminal, beside script's
#   make install      DESTDIR and PREFIX as usual; make uninstall
#   make generated    what completions/ and man/ have from src/commands.tab

# ---- knobs ----------------------------------------------------------------------------
CC       = gcc
AR       = ar
CFLAGS   = -O2 -g
PREFIX   = /usr/local
DESTDIR  =
SANITIZE =            # address,undefined or thread
DEV      =            # 1: warnings are errors
ASSERT   =            # 1: check invariants at run time (DEV and SANITIZE do, too)
LTO      = 1          # 0: without link-time optimisation (a seventh less CPU on the hot path)
STATIC   = 1          # 0: libev, TRE and zlib are always the shared ones
BUILD    = build
PYTHON   = python3
VERSION  = 0.1.0

# ---- what the knobs mean --------------------------------------------------------------
# libcjson, libxxhash, tre and zlib have .pc files on Debian; libev has none.
PKGS     = libcjson libxxhash tre zlib
PKG_CFLAGS := $(shell pkg-config --cflags $(PKGS) 2>/dev/null)
PKG_LIBS   := $(shell pkg-config --libs $(PKGS) 2>/dev/null) -lev
LIB_LIBS   := $(shell pkg-config --libs libcjson libxxhash tre zlib 2>/dev/null)
# buildlog is started as often as what it records, and each shared library costs it as much as a
# twentieth of `env true`: those whose archives are there go into it. -lm: libev has no more needs.
ifeq ($(strip $(STATIC)),1)
archive_of  = $(filter /%,$(shell $(CC) -print-file-name=$(1) 2>/dev/null))
EXE_LIBS   := $(foreach l,$(PKG_LIBS),$(or $(if $(filter -lev -ltre -lz,$(l)),$(call archive_of,$(l:-l%=lib%.a))),$(l))) -lm
else
EXE_LIBS   := $(PKG_LIBS)
endif
# What cannot be found is named here, not by the compiler some pages later.
ifneq ($(filter-out clean generated uninstall lint-% ,$(or $(MAKECMDGOALS),all)),)
MISSING := $(shell for p in $(PKGS); do pkg-config --exists $$p || echo $$p; done; \
    echo '\#include <ev.h>' | $(CC) $(CPPFLAGS) -E - >/dev/null 2>&1 || echo libev)
ifneq ($(strip $(MISSING)),)
$(error not found: $(MISSING); see "Install" in README.md)
endif
endif

WARN = -Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla \
       -Wwrite-strings -Wformat=2
ifeq ($(strip $(DEV)),1)
WARN += -Werror
endif
# In a release a broken invariant must not end somebody's build.
ifeq ($(strip $(DEV) $(ASSERT) $(SANITIZE)),)
NDEBUG = -DNDEBUG
endif
SAN = $(if $(strip $(SANITIZE)),-fsanitize=$(strip $(SANITIZE)) -fno-sanitize-recover=all -fno-omit-frame-pointer)

# The rooms are small files with small functions; the hot path runs through four of them. Fat
# objects, so that the archive and the tests need no plug-in. gcc only: clang's needs packages
# that a small machine does not have.
ifeq ($(strip $(LTO))$(findstring gcc,$(CC))$(strip $(SANITIZE)),1gcc)
LTO_CFLAGS  = -flto=auto -ffat-lto-objects
LTO_LDFLAGS = -flto=auto -ffile-prefix-map=$(CURDIR)=. $(CFLAGS)
endif

# libxxhash's header has it all: one library less to load at every start.
ALL_CPPFLAGS = -D_GNU_SOURCE -DXXH_INLINE_ALL $(NDEBUG) -DBUILDLOG_VERSION='"$(VERSION)"' -Isrc -I$(BUILD)/gen $(PKG_CFLAGS) $(CPPFLAGS)
ALL_CFLAGS   = -std=gnu11 $(WARN) $(SAN) -ffile-prefix-map=$(CURDIR)=. -fstack-protector-strong $(CFLAGS)
ALL_LDFLAGS  = $(SAN) -Wl,--as-needed -Wl,-z,relro,-z,now $(LDFLAGS)

# ---- sources --------------------------------------------------------------------------
CORE_SRC := $(filter-out src/main.c,$(wildcard src/*/*.c))
CORE_OBJ := $(CORE_SRC:src/%.c=$(BUILD)/obj/%.o)
UNIT_SRC := $(wildcard tests/unit/*.c)
UNIT_BIN := $(UNIT_SRC:tests/unit/%.c=$(BUILD)/tests/unit/%)
CLI_TESTS := $(sort $(wildcard tests/cli/t*.py))
HELPER_SRC := $(wildcard tests/helpers/*.c)
HELPER_BIN := $(HELPER_SRC:tests/helpers/%.c=$(BUILD)/tests/helpers/%)
HEADERS  := $(wildcard src/*/*.h)

# What src/commands.tab becomes (src/cmd/gen/*.awk). POSIX awk.
GEN      := $(BUILD)/gen
GEN_AWK  := awk -f src/cmd/gen/table.awk
CORE_OBJ += $(BUILD)/obj/gen/commands.gen.o

all: $(BUILD)/buildlog lib

$(BUILD)/buildlog: $(BUILD)/obj/main.o $(BUILD)/libcore.a
	$(CC) $(LTO_LDFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(EXE_LIBS)

$(BUILD)/libcore.a: $(CORE_OBJ)
	rm -f $@
	$(AR) rcs $@ $^

$(BUILD)/obj/%.o: src/%.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) $(LTO_CFLAGS) -MMD -MP -c -o $@ $<

$(GEN)/commands.gen.h: src/commands.tab src/cmd/gen/table.awk src/cmd/gen/header.awk
	@mkdir -p $(@D)
	$(GEN_AWK) -f src/cmd/gen/header.awk src/commands.tab > $@

$(GEN)/commands.gen.c: src/commands.tab src/cmd/gen/table.awk src/cmd/gen/tables.awk
	@mkdir -p $(@D)
	$(GEN_AWK) -f src/cmd/gen/tables.awk src/commands.tab > $@

$(BUILD)/obj/gen/%.o: $(GEN)/%.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) $(LTO_CFLAGS) -MMD -MP -c -o $@ $<

$(CORE_OBJ) $(BUILD)/obj/main.o: | $(GEN)/commands.gen.h

# ---- the library ----------------------------------------------------------------------
# What programs link: the rooms that read, in position-independent objects of their own, so that
# the executable's stay as fast as they are. Only what src/lib needs gets in, and only the names in
# buildlog.map get out: in the archive, too, whose one member has all others made local.
SOVERSION = 0
LIB_ROOMS = base text record store read lib
LIB_SRC  := $(wildcard $(LIB_ROOMS:%=src/%/*.c))
LIB_OBJ  := $(LIB_SRC:src/%.c=$(BUILD)/pic/%.o)
LIB_CFLAGS = -fPIC -fvisibility=hidden -fno-semantic-interposition -DSYS_FIXED
LIB_API  := $(filter $(BUILD)/pic/lib/%,$(LIB_OBJ))
LIB_SO   := libbuildlog.so.$(VERSION)
OBJCOPY  = objcopy

lib: $(BUILD)/libbuildlog.a $(BUILD)/$(LIB_SO)

$(BUILD)/pic/%.o: src/%.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) $(LIB_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/pic/rooms.a: $(filter-out $(LIB_API),$(LIB_OBJ))
	rm -f $@
	$(AR) rcs $@ $^

$(BUILD)/$(LIB_SO): $(LIB_API) $(BUILD)/pic/rooms.a src/lib/buildlog.map
	$(CC) -shared $(ALL_LDFLAGS) $(if $(SAN),,-Wl,-z,defs) -Wl,-soname,libbuildlog.so.$(SOVERSION) \
	    -Wl,--version-script=src/lib/buildlog.map $(CFLAGS) -o $@ $(LIB_API) $(BUILD)/pic/rooms.a $(LIB_LIBS)
	ln -sf $(LIB_SO) $(BUILD)/libbuildlog.so.$(SOVERSION)
	ln -sf $(LIB_SO) $(BUILD)/libbuildlog.so

$(BUILD)/libbuildlog.a: $(LIB_API) $(BUILD)/pic/rooms.a
	$(LD) -r -o $(BUILD)/pic/libbuildlog.o $^
	$(OBJCOPY) --localize-hidden $(BUILD)/pic/libbuildlog.o
	rm -f $@
	$(AR) rcs $@ $(BUILD)/pic/libbuildlog.o

-include $(LIB_OBJ:.o=.d)

# ---- tables ---------------------------------------------------------------------------
# The redactor's tables, made from rules.tab.
$(BUILD)/gen/redact_rules.gen.h: src/redact/rules.tab src/redact/rules.awk
	@mkdir -p $(@D)
	awk -f src/redact/rules.awk src/redact/rules.tab >$@

$(BUILD)/obj/redact/rules.o: $(BUILD)/gen/redact_rules.gen.h

# Every byte of every build goes through here.
HOT := candidate cover evidence finder known_block known_kinds known_scan look needless redactor
$(HOT:%=$(BUILD)/obj/redact/%.o): CFLAGS := $(CFLAGS:-O2=-O3)

# What errors look like, made from errors.tab.
$(BUILD)/gen/read_errors.gen.h: src/read/errors.tab src/read/errors.awk
	@mkdir -p $(@D)
	LC_ALL=C awk -f src/read/errors.awk src/read/errors.tab >$@

$(BUILD)/obj/read/errors_table.o $(BUILD)/pic/read/errors_table.o: $(BUILD)/gen/read_errors.gen.h

$(BUILD)/tests/unit/%: tests/unit/%.c $(BUILD)/libcore.a
	@mkdir -p $(@D)
	$(CC) $(ALL_CPPFLAGS) -Itests $(ALL_CFLAGS) -MMD -MP -MF $@.d $(ALL_LDFLAGS) -o $@ $< $(BUILD)/libcore.a $(PKG_LIBS)

# What the fuzz target of the redactor and a test make fail on demand.
FUZZ_WRAP = -Wl,--wrap=realloc
$(BUILD)/tests/unit/fuzz_replay $(BUILD)/tests/unit/run_ahead $(BUILD)/tests/fuzz/redact: LDFLAGS += $(FUZZ_WRAP)

# The redactor alone, as a filter.
$(BUILD)/tests/redact/pipe: tests/redact/pipe.c $(BUILD)/libcore.a
	@mkdir -p $(@D)
	$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -MF $@.d $(ALL_LDFLAGS) -o $@ $< $(BUILD)/libcore.a $(PKG_LIBS)

# Small programs that the command line tests run: no part of buildlog, nothing of it in them.
$(BUILD)/tests/helpers/%: tests/helpers/%.c
	@mkdir -p $(@D)
	$(CC) -D_GNU_SOURCE -std=gnu11 $(WARN) $(PKG_CFLAGS) $(CFLAGS) -o $@ $<

# buildlog with a system-call table that fails on demand.
$(BUILD)/obj/fault.o: tests/fault/fault.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/buildlog-fault: $(BUILD)/obj/main.o $(BUILD)/obj/fault.o $(BUILD)/libcore.a
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(PKG_LIBS)

# A user of the library where system calls and memory fail on demand.
$(BUILD)/tests/library/faulty: tests/library/example.c tests/library/nomem.c $(BUILD)/obj/fault.o $(BUILD)/libcore.a
	@mkdir -p $(@D)
	$(CC) -D_GNU_SOURCE -std=gnu11 -Isrc/lib $(SAN) $(CFLAGS) -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc \
	    $(ALL_LDFLAGS) -o $@ $^ $(PKG_LIBS) -lpthread

-include $(CORE_OBJ:.o=.d) $(BUILD)/obj/main.d $(BUILD)/obj/fault.d $(UNIT_BIN:=.d) $(BUILD)/tests/redact/pipe.d

# ---- tests ----------------------------------------------------------------------------
check: all $(UNIT_BIN) $(HELPER_BIN) $(BUILD)/buildlog-fault $(BUILD)/tests/library/faulty $(BUILD)/tests/redact/pipe
	BUILDLOG=$(abspath $(BUILD)/buildlog) BUILD=$(abspath $(BUILD)) \
	    $(PYTHON) tests/run.py --totals $(BUILD)/check.totals $(UNIT_BIN) $(CLI_TESTS)

# ---- figures --------------------------------------------------------------------------
$(BUILD)/tests/bench/%: tests/bench/%.c $(BUILD)/libcore.a
	@mkdir -p $(@D)
	$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -MF $@.d $(ALL_LDFLAGS) -o $@ $< $(BUILD)/libcore.a $(PKG_LIBS)

# BENCH="--only start,latency --size 100" narrows it. Peers that are not installed are left out.
BENCH =
bench: $(BUILD)/buildlog $(BUILD)/tests/bench/latency $(BUILD)/tests/helpers/emit
	BUILDLOG=$(abspath $(BUILD)/buildlog) BUILD=$(abspath $(BUILD)) $(PYTHON) tests/bench/bench.py $(BENCH)

# 100,000 builds by default: BENCH="--builds 10000 --dir /dev/shm" makes fewer, elsewhere.
bench-store: $(BUILD)/buildlog $(BUILD)/tests/helpers/mkstore
	BUILDLOG=$(abspath $(BUILD)/buildlog) BUILD=$(abspath $(BUILD)) $(PYTHON) tests/bench/store.py $(BENCH)

bench-query: $(BUILD)/buildlog
	BUILDLOG=$(abspath $(BUILD)/buildlog) BUILD=$(abspath $(BUILD)) $(PYTHON) tests/bench/query.py $(BENCH)

bench-tail: $(BUILD)/buildlog $(BUILD)/tests/bench/latency $(BUILD)/tests/helpers/emit
	BUILDLOG=$(abspath $(BUILD)/buildlog) BUILD=$(abspath $(BUILD)) $(PYTHON) tests/bench/tail.py $(BENCH)

# start-up, latency and throughput at a terminal, beside script(1); 2,000 starts and stops
bench-tty: $(BUILD)/buildlog
	BUILDLOG=$(abspath $(BUILD)/buildlog) BUILD=$(abspath $(BUILD)) $(PYTHON) tests/bench/terminal.py $(BENCH)

bench-encode: $(BUILD)/tests/bench/encode_speed
	$<

# BENCH_LOGS: real logs to measure with, besides made-up input
bench-redact: $(BUILD)/tests/bench/redact_speed
	$< $(BENCH_LOGS)

bench-known: $(BUILD)/tests/bench/known_speed
	$<

-include $(wildcard $(BUILD)/tests/bench/*.d)

check-san:
	$(MAKE) SANITIZE=address,undefined BUILD=$(BUILD)-san check

# The threads of the write path. Those of the reading commands have cases of their own (t0493).
TSAN_TESTS = run_ahead

check-tsan:
	$(MAKE) SANITIZE=thread BUILD=$(BUILD)-tsan $(TSAN_TESTS:%=$(BUILD)-tsan/tests/unit/%)
	@set -e; for test in $(TSAN_TESTS); do $(BUILD)-tsan/tests/unit/$$test; done

# What is written once for each kind of processor, on another one: 64-bit ARM under qemu. Only
# what needs no library: of regular expressions nothing is there, and those tests ask for none.
ARM_CC    = aarch64-linux-gnu-gcc
ARM_QEMU  = qemu-aarch64-static
ARM_BUILD = $(BUILD)-arm
ARM_TESTS = base base64_decode find redact redact_finder redact_known redact_prints \
	redact_values
ARM_SRC  := $(filter-out src/text/regex.c,$(wildcard src/base/*.c src/text/*.c src/redact/*.c))

check-arm:
	@command -v $(ARM_CC) >/dev/null && command -v $(ARM_QEMU) >/dev/null || { \
	    echo "check-arm: no $(ARM_CC) or no $(ARM_QEMU), left out;" \
	        "Debian: gcc-aarch64-linux-gnu qemu-user-static"; exit 0; }; \
	$(MAKE) CC=$(ARM_CC) BUILD=$(ARM_BUILD) LTO=0 PKGS= PKG_CFLAGS= MISSING= arm-programs && \
	for test in $(ARM_TESTS); do echo $(ARM_QEMU) $(ARM_BUILD)/arm/$$test; done | \
	    while read -r run; do $$run >$(ARM_BUILD)/out || { grep '^not ok' $(ARM_BUILD)/out; \
	        echo "$$run failed"; exit 1; }; echo "$$run: $$(tail -n 1 $(ARM_BUILD)/out)"; done

# The same on 64-bit x86 without AVX-512 (Haswell), without AVX2 (Core 2), without SSSE3.
X86_QEMU  = qemu-x86_64-static
X86_CPUS  = Haswell core2duo qemu64
X86_TESTS = find redact redact_finder redact_prints text

check-x86: $(X86_TESTS:%=$(BUILD)/tests/unit/%)
	@command -v $(X86_QEMU) >/dev/null || { \
	    echo "check-x86: no $(X86_QEMU), left out; Debian: qemu-user-static"; exit 0; }; \
	for cpu in $(X86_CPUS); do for test in $(X86_TESTS); do \
	    $(X86_QEMU) -cpu $$cpu $(BUILD)/tests/unit/$$test >$(BUILD)/x86.out || { \
	        grep '^not ok' $(BUILD)/x86.out; echo "$$test on $$cpu failed"; exit 1; }; \
	    echo "$$test on $$cpu: $$(tail -n 1 $(BUILD)/x86.out)"; done; done

arm-programs: $(ARM_TESTS:%=$(BUILD)/arm/%)

$(BUILD)/libarm.a: $(ARM_SRC:src/%.c=$(BUILD)/obj/%.o)
	rm -f $@
	$(AR) rcs $@ $^

$(BUILD)/arm/%: tests/unit/%.c $(BUILD)/libarm.a
	@mkdir -p $(@D)
	$(CC) $(ALL_CPPFLAGS) -Itests $(ALL_CFLAGS) -static -Wl,--unresolved-symbols=ignore-all -o $@ \
	    $< $(BUILD)/libarm.a

# ---- fuzzing --------------------------------------------------------------------------
# Findings are left in the build directory; once mended, one goes to tests/fuzz/corpus, where
# make check replays it. FUZZ_FLAGS go to the fuzzer.
FUZZ_TARGETS = redact record query config
FUZZ_SECONDS = 60
FUZZ_FLAGS   = -max_len=300 -timeout=60
FUZZ_CC      = clang
AFL_CC       = afl-clang-fast

fuzz:
	@echo 'int LLVMFuzzerTestOneInput(const char *d, unsigned long n) {return d && n > 9;}' | \
	    $(FUZZ_CC) -x c -fsanitize=fuzzer -o /dev/null - 2>/dev/null || { \
	    echo "make fuzz: $(FUZZ_CC) with libFuzzer not found; Debian: clang libclang-rt-dev"; exit 1; }
	$(MAKE) CC=$(FUZZ_CC) SANITIZE=fuzzer-no-link,address,undefined BUILD=$(BUILD)-fuzz \
	    FUZZ_LINK=-fsanitize=fuzzer fuzz-programs
	@set -e; for target in $(FUZZ_TARGETS); do \
	    mkdir -p $(BUILD)-fuzz/corpus/$$target; \
	    $(BUILD)-fuzz/tests/fuzz/$$target -max_total_time=$(FUZZ_SECONDS) $(FUZZ_FLAGS) \
	        -artifact_prefix=$(BUILD)-fuzz/ $(BUILD)-fuzz/corpus/$$target tests/fuzz/corpus/$$target; \
	done

fuzz-afl:
	@command -v $(AFL_CC) >/dev/null || { echo "make fuzz-afl: no $(AFL_CC); Debian: afl++"; exit 1; }
	$(MAKE) CC=$(AFL_CC) SANITIZE=address,undefined BUILD=$(BUILD)-afl \
	    FUZZ_MAIN=tests/fuzz/replay.c fuzz-programs
	@set -e; for target in $(FUZZ_TARGETS); do \
	    AFL_SKIP_CPUFREQ=1 AFL_NO_UI=1 afl-fuzz -V $(FUZZ_SECONDS) -i tests/fuzz/corpus/$$target \
	        -o $(BUILD)-afl/$$target -- $(BUILD)-afl/tests/fuzz/$$target; \
	done

FUZZ_MAIN = tests/fuzz/libfuzzer.c
fuzz-programs: $(FUZZ_TARGETS:%=$(BUILD)/tests/fuzz/%)

$(BUILD)/tests/fuzz/%: tests/fuzz/fuzz_%.c $(wildcard tests/fuzz/*.h) $(FUZZ_MAIN) $(BUILD)/libcore.a
	@mkdir -p $(@D)
	$(CC) $(ALL_CPPFLAGS) -Itests $(ALL_CFLAGS) $(ALL_LDFLAGS) $(FUZZ_LINK) -o $@ \
	    $< $(FUZZ_MAIN) $(BUILD)/libcore.a $(PKG_LIBS)

# ---- generated parts of committed files -----------------------------------------------
# completions/ and man/ carry regions made from src/commands.tab; make check fails when one is
# stale (it makes them anew in another directory, TO).
GENERATED = completions/buildlog.bash completions/_buildlog completions/buildlog.fish $(wildcard man/*.1)
TO        = .

generated:
	@set -e; for page in $(GENERATED); do \
	    case $$page in *.bash) kind=bash;; *.fish) kind=fish;; *.1) kind=man;; *) kind=zsh;; esac; \
	    mkdir -p $(TO)/$$(dirname $$page); \
	    awk -v page=$$page -f src/cmd/gen/table.awk -f src/cmd/gen/$$kind.awk \
	        -f src/cmd/gen/regions.awk src/commands.tab > $(TO)/$$page.new; \
	    mv $(TO)/$$page.new $(TO)/$$page; \
	done

# ---- install --------------------------------------------------------------------------
BINDIR  = $(PREFIX)/bin
LIBDIR  = $(PREFIX)/lib
INCLUDEDIR = $(PREFIX)/include
DATADIR = $(PREFIX)/share
MANDIR  = $(DATADIR)/man
INSTALL = install

# The files that install makes, without DESTDIR, one place to name them for uninstall too.
INSTALLED = $(BINDIR)/buildlog \
	$(patsubst man/%.1,$(MANDIR)/man1/%.1,$(wildcard man/*.1)) \
	$(patsubst man/%.3,$(MANDIR)/man3/%.3,$(wildcard man/*.3)) \
	$(patsubst man/%.5,$(MANDIR)/man5/%.5,$(wildcard man/*.5)) \
	$(addprefix $(LIBDIR)/,libbuildlog.a libbuildlog.so libbuildlog.so.$(SOVERSION) $(LIB_SO)) \
	$(LIBDIR)/pkgconfig/libbuildlog.pc $(INCLUDEDIR)/buildlog.h \
	$(DATADIR)/buildlog/buildlog.lnav.json \
	$(DATADIR)/bash-completion/completions/buildlog \
	$(DATADIR)/zsh/site-functions/_buildlog \
	$(DATADIR)/fish/vendor_completions.d/buildlog.fish

install: all
	$(INSTALL) -d $(addprefix $(DESTDIR),$(sort $(dir $(INSTALLED))))
	$(INSTALL) -m 755 $(BUILD)/buildlog $(DESTDIR)$(BINDIR)/buildlog
	$(INSTALL) -m 644 man/*.1 $(DESTDIR)$(MANDIR)/man1
	$(INSTALL) -m 644 man/*.3 $(DESTDIR)$(MANDIR)/man3
	$(INSTALL) -m 644 man/*.5 $(DESTDIR)$(MANDIR)/man5
	$(INSTALL) -m 644 src/lib/buildlog.h $(DESTDIR)$(INCLUDEDIR)/buildlog.h
	$(INSTALL) -m 644 $(BUILD)/libbuildlog.a $(BUILD)/$(LIB_SO) $(DESTDIR)$(LIBDIR)
	ln -sf $(LIB_SO) $(DESTDIR)$(LIBDIR)/libbuildlog.so.$(SOVERSION)
	ln -sf $(LIB_SO) $(DESTDIR)$(LIBDIR)/libbuildlog.so
	sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@LIBDIR@|$(LIBDIR)|' -e 's|@INCLUDEDIR@|$(INCLUDEDIR)|' \
	    -e 's|@VERSION@|$(VERSION)|' -e 's|@PRIVATE@|$(filter -l%,$(LIB_LIBS))|' \
	    src/lib/buildlog.pc.in > $(DESTDIR)$(LIBDIR)/pkgconfig/libbuildlog.pc
	$(INSTALL) -m 644 packaging/buildlog.lnav.json $(DESTDIR)$(DATADIR)/buildlog/buildlog.lnav.json
	$(INSTALL) -m 644 completions/buildlog.bash $(DESTDIR)$(DATADIR)/bash-completion/completions/buildlog
	$(INSTALL) -m 644 completions/_buildlog $(DESTDIR)$(DATADIR)/zsh/site-functions/_buildlog
	$(INSTALL) -m 644 completions/buildlog.fish $(DESTDIR)$(DATADIR)/fish/vendor_completions.d/buildlog.fish

uninstall:
	rm -f $(addprefix $(DESTDIR),$(INSTALLED))

# ---- lint -----------------------------------------------------------------------------
# What is not installed is left out, and said so.
ALL_C := $(wildcard src/*.c src/*/*.c tests/unit/*.c)
SHELLS = packaging/fresh.sh .ci/run $(wildcard tests/*.sh) completions/buildlog.bash
HAVE = command -v $(1) >/dev/null || { echo "lint: no $(1), left out"; exit 0; };

lint: lint-tidy lint-cppcheck lint-shell lint-man lint-complexity

lint-tidy: $(GEN)/commands.gen.h
	@$(call HAVE,clang-tidy) clang-tidy --quiet $(wildcard src/*.c src/*/*.c) -- \
	    -std=gnu11 $(ALL_CPPFLAGS)

lint-cppcheck: $(GEN)/commands.gen.h
	@$(call HAVE,cppcheck) cppcheck --quiet --std=c11 --error-exitcode=1 --inline-suppr \
	    --enable=warning,performance,portability --suppress=missingIncludeSystem --suppress=ctuuninitvar \
	    -D_GNU_SOURCE -DBUILDLOG_VERSION='""' -Isrc -I$(GEN) -Itests $(ALL_C)

lint-shell:
	@$(call HAVE,shellcheck) shellcheck $(SHELLS)

lint-man:
	@$(call HAVE,mandoc) mandoc -Tlint -Wwarning man/*

# No function above 100 lines, none with more than 25 branches.
lint-complexity:
	@$(call HAVE,pmccabe) pmccabe $(wildcard src/*.c src/*/*.c) | awk \
	    '$$1 > 25 || $$5 > 100 {print $$6, $$7, "complexity", $$1, "lines", $$5; bad = 1} END {exit bad}'

clean:
	rm -rf $(BUILD)

.PHONY: all lib check check-san check-tsan check-arm check-x86 arm-programs clean generated install uninstall lint \
	lint-tidy lint-cppcheck \
	lint-shell lint-man lint-complexity fuzz fuzz-afl fuzz-programs bench bench-encode bench-redact bench-known bench-store \
	bench-query bench-tail bench-tty
.DELETE_ON_ERROR:
