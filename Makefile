# buildlog: records any command. GNU make.
#
#   make              build/buildlog
#   make check        every test a clean machine can run
#   make check-san    the same under AddressSanitizer and UndefinedBehaviorSanitizer
#   make lint         clang-tidy, cppcheck, shellcheck, mandoc -Tlint, complexity
#   make bench        figures, each a ratio against a peer in one run
#   make install      DESTDIR and PREFIX as usual

# ---- knobs ----------------------------------------------------------------------------
CC       = gcc
AR       = ar
CFLAGS   = -O2 -g
PREFIX   = /usr/local
DESTDIR  =
SANITIZE =            # address,undefined
DEV      =            # 1: warnings are errors
BUILD    = build
PYTHON   = python3
VERSION  = 0.1.0

# ---- what the knobs mean --------------------------------------------------------------
# libcjson, libxxhash, tre and zlib have .pc files on Debian; libev has none.
PKGS     = libcjson libxxhash tre zlib
PKG_CFLAGS := $(shell pkg-config --cflags $(PKGS))
PKG_LIBS   := $(shell pkg-config --libs $(PKGS)) -lev

WARN = -Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla \
       -Wwrite-strings -Wformat=2
ifeq ($(strip $(DEV)),1)
WARN += -Werror
endif
SAN = $(if $(strip $(SANITIZE)),-fsanitize=$(strip $(SANITIZE)) -fno-sanitize-recover=all -fno-omit-frame-pointer)

ALL_CPPFLAGS = -D_GNU_SOURCE -DBUILDLOG_VERSION='"$(VERSION)"' -Isrc -I$(BUILD)/gen $(PKG_CFLAGS) $(CPPFLAGS)
ALL_CFLAGS   = -std=gnu11 $(WARN) $(SAN) -ffile-prefix-map=$(CURDIR)=. -fstack-protector-strong $(CFLAGS)
ALL_LDFLAGS  = $(SAN) -Wl,--as-needed -Wl,-z,relro,-z,now $(LDFLAGS)

# ---- sources --------------------------------------------------------------------------
CORE_SRC := $(filter-out src/main.c,$(wildcard src/*/*.c))
CORE_OBJ := $(CORE_SRC:src/%.c=$(BUILD)/obj/%.o)
UNIT_SRC := $(wildcard tests/unit/*.c)
UNIT_BIN := $(UNIT_SRC:tests/unit/%.c=$(BUILD)/tests/unit/%)
CLI_TESTS := $(sort $(wildcard tests/cli/t*.py))
HEADERS  := $(wildcard src/*/*.h)

all: $(BUILD)/buildlog

$(BUILD)/buildlog: $(BUILD)/obj/main.o $(BUILD)/libcore.a
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(PKG_LIBS)

$(BUILD)/libcore.a: $(CORE_OBJ)
	rm -f $@
	$(AR) rcs $@ $^

$(BUILD)/obj/%.o: src/%.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# The redactor's tables, made from rules.tab.
$(BUILD)/gen/redact_rules.gen.h: src/redact/rules.tab src/redact/rules.awk
	@mkdir -p $(@D)
	awk -f src/redact/rules.awk src/redact/rules.tab >$@

$(BUILD)/obj/redact/rules.o: $(BUILD)/gen/redact_rules.gen.h

$(BUILD)/tests/unit/%: tests/unit/%.c $(BUILD)/libcore.a
	@mkdir -p $(@D)
	$(CC) $(ALL_CPPFLAGS) -Itests $(ALL_CFLAGS) -MMD -MP -MF $@.d $(ALL_LDFLAGS) -o $@ $< $(BUILD)/libcore.a $(PKG_LIBS)

-include $(CORE_OBJ:.o=.d) $(BUILD)/obj/main.d $(UNIT_BIN:=.d)

# ---- tests ----------------------------------------------------------------------------
check: all $(UNIT_BIN)
	BUILDLOG=$(abspath $(BUILD)/buildlog) BUILD=$(abspath $(BUILD)) \
	    $(PYTHON) tests/run.py $(UNIT_BIN) $(CLI_TESTS)

# ---- figures --------------------------------------------------------------------------
# BENCH_LOGS: real logs to measure with, besides made-up input
$(BUILD)/tests/bench/%: tests/bench/%.c $(BUILD)/libcore.a
	@mkdir -p $(@D)
	$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $< $(BUILD)/libcore.a $(PKG_LIBS)

bench-redact: $(BUILD)/tests/bench/redact_speed
	$< $(BENCH_LOGS)

clean:
	rm -rf $(BUILD)

.PHONY: all bench-redact check clean
.DELETE_ON_ERROR:
