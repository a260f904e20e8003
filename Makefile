# Weir. `make help` lists the targets.
#
# Variants compose, each with its own build folder:
#   SANITIZE=address,undefined   SANITIZE=thread   HOSTILE=1   WERROR=1   CC=clang   FUZZER=1 (clang, libFuzzer; see fuzz)
# V=1 shows the commands.
# Sources are found by wildcard: adding a file never edits this one. x_test.c beside x.c is its unit test.

CC      ?= cc
PYTHON  ?= python3
empty   :=
space   := $(empty) $(empty)
comma   := ,

Q       := $(if $(V),,@)
say      = $(if $(V),,@printf '  %-5s %s\n' $(1) $(2))

ifdef FUZZER
  CC       := clang
  SANITIZE ?= address,undefined
  # Adding 0 to the NULL of an empty text is fine with every compiler we use (and in C2y); gcc's own check of pointers knows that.
  CFLAGS   += -fsanitize=fuzzer-no-link
endif
VARIANT := $(if $(FUZZER),-fuzzer,$(if $(SANITIZE),-$(subst $(comma),-,$(SANITIZE)))$(if $(filter clang%,$(CC)),-clang))$(if $(HOSTILE),-hostile)$(if $(WERROR),-werror)
B       := build$(VARIANT)

VERSION  := $(shell cat VERSION 2>/dev/null || echo 0.1.0)
REVISION := $(shell git rev-parse --short HEAD 2>/dev/null || echo unknown)

# Floors, highest first; what a folder links is itself and every floor below it.
FOLDERS := cmd ui components runtime stdlib telemetry value net proto parser base
BELOW_base       := base
BELOW_parser     := parser base
BELOW_net        := net base
BELOW_proto      := proto base
BELOW_value      := value parser net base
BELOW_telemetry  := telemetry net proto parser base
BELOW_stdlib     := stdlib value telemetry net proto parser base
BELOW_runtime    := runtime $(BELOW_stdlib)
BELOW_components := components $(BELOW_runtime)
BELOW_ui         := ui $(BELOW_components)
BELOW_cmd        := cmd $(BELOW_ui)

WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wpointer-arith -Wwrite-strings \
        -Werror=switch -Werror=implicit-function-declaration -Werror=incompatible-pointer-types -Werror=int-conversion \
        -Wno-unused-parameter
HARDEN := -fstack-protector-strong -fPIE -fstack-clash-protection
CPPFLAGS += -I. -I$(B) -D_GNU_SOURCE -DWEIR_VERSION='"$(VERSION)"' -DWEIR_REVISION='"$(REVISION)"'
CFLAGS   += -std=gnu17 -g $(WARN) $(HARDEN) $(if $(WERROR),-Werror)
LDFLAGS  += -pie -Wl,--as-needed -Wl,-z,relro,-z,now -pthread
ifdef SANITIZE
  CFLAGS  += -O1 -fno-omit-frame-pointer -fsanitize=$(SANITIZE) $(if $(findstring undefined,$(SANITIZE)),-fno-sanitize-recover=undefined) $(if $(FUZZER),-fno-sanitize=pointer-overflow)
  LDFLAGS += -fsanitize=$(SANITIZE)
else
  CFLAGS   += -O2
  CPPFLAGS += -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
endif
ifdef HOSTILE
  CPPFLAGS += -DHOSTILE=1
endif

# What programs under test run in: the sanitizers' options, and a word to the tests that memory and time are not the release build's.
# The thread sanitizer of gcc 12 needs a fixed address layout on kernels that randomise 32 bits of it.
TEST_ENV := env$(if $(SANITIZE), WEIR_SANITIZED=1)
ifneq ($(findstring address,$(SANITIZE)),)
  TEST_ENV += ASAN_OPTIONS=detect_leaks=1:detect_stack_use_after_return=1:quarantine_size_mb=64 UBSAN_OPTIONS=print_stacktrace=1
endif
ifneq ($(findstring thread,$(SANITIZE)),)
  TEST_ENV += TSAN_OPTIONS=suppressions=$(abspath scripts/tsan.supp):second_deadlock_stack=1 $(shell setarch -R true 2>/dev/null && echo setarch -R)
endif

# Required libraries, and optional ones; a source that needs an optional library says so in a `/* needs: X */` line.
OPTIONAL := libsystemd libmaxminddb
PKGS := libcurl libnghttp2 openssl jansson libpcre2-8 yaml-0.1 libprotobuf-c zlib libdeflate libzstd liblz4
# snappy is C++: linked statically it costs the few functions used instead of the whole of libstdc++ in every process.
STATIC_SNAPPY := $(wildcard $(shell $(CC) -print-file-name=libsnappy.a))
SNAPPY := $(if $(STATIC_SNAPPY),-Wl$(comma)-Bstatic -lsnappy -lstdc++ -Wl$(comma)-Bdynamic,-lsnappy)
# The sanitizers' own crypt_r calls the library's, and hides from the linker that it is needed.
CRYPT := $(if $(SANITIZE),-Wl$(comma)--no-as-needed) -lcrypt
# libcurl is loaded by its first user (net/curl_lib.h): its headers are needed, its library is not linked.
LIBS := $(shell pkg-config --libs $(filter-out libcurl,$(PKGS))) -lev -lhttp_parser -lbz2 $(SNAPPY) $(CRYPT) -lm
# make WITHOUT=libsystemd builds as if that were missing.
HAVE := $(foreach p,$(filter-out $(WITHOUT),$(OPTIONAL)),$(shell pkg-config --exists $(p) && echo $(p)))
LACK := $(filter-out $(HAVE),$(OPTIONAL))
LIBS += $(if $(HAVE),$(shell pkg-config --libs $(HAVE)))
CPPFLAGS += $(patsubst %,-DHAVE_%=1,$(shell echo $(HAVE) | tr a-z- A-Z_))
CPPFLAGS += $(shell pkg-config --cflags $(PKGS) $(HAVE))

# Sources of one folder, tests and files that need a missing library left out.
all_src  = $(shell find $(1) -name '*.c' 2>/dev/null | LC_ALL=C sort)
missing  = $(if $(LACK),$(shell grep -ls $(LACK:%=-e 'needs: %') $(1) /dev/null))
src_of   = $(filter-out %_test.c $(call missing,$(call all_src,$(1))),$(call all_src,$(1)))
PROTOS  := $(shell find proto -name '*.proto' 2>/dev/null | LC_ALL=C sort)
PROTO_C := $(PROTOS:%.proto=$(B)/%.pb-c.c)
obj_of   = $(patsubst %.c,$(B)/%.o,$(call src_of,$(1))) $(if $(filter proto,$(1)),$(PROTO_C:.c=.o))

$(foreach f,$(FOLDERS),$(eval OBJ_$(f) := $(call obj_of,$(f))))
$(foreach f,$(FOLDERS),$(eval LIB_$(f) := $(B)/lib$(f).a))
# Components of Alloy that are known by their tables: constants made from the data file.
OBJ_components += $(B)/components/foreign_data.o
OBJS  := $(foreach f,$(FOLDERS),$(OBJ_$(f)))
TESTS := $(if $(T),$(B)/$(T)_test,$(foreach f,$(FOLDERS),$(patsubst %.c,$(B)/%,$(filter %_test.c,$(call all_src,$(f))))))
FUZZ  := $(patsubst %.c,$(B)/%,$(wildcard tests/fuzz/fuzz_*.c))
HEADERS := $(shell find $(FOLDERS) -name '*.h' 2>/dev/null | LC_ALL=C sort)

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SECONDARY:
MAKEFLAGS += --no-builtin-rules

all: $(B)/weir ## build build/weir
$(B)/weir: $(foreach f,$(BELOW_cmd),$(LIB_$(f)))
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ -Wl,--start-group $^ -Wl,--end-group $(LIBS)

define archive
$(LIB_$(1)): $$(OBJ_$(1))
	@mkdir -p $$(@D)
	@rm -f $$@
	@ar rcs $$@ $$^
$(patsubst %.c,$(B)/%,$(filter %_test.c,$(call all_src,$(1)))): $(B)/%_test: $(B)/%_test.o $(foreach f,$(BELOW_$(1)),$(LIB_$(f)))
	$$(call say,LINK,$$@)
	$$(Q)$$(CC) $$(LDFLAGS) -o $$@ $$< -Wl,--start-group $$(filter %.a,$$^) -Wl,--end-group $$(LIBS) -lcmocka
endef
$(foreach f,$(FOLDERS),$(eval $(call archive,$(f))))

$(B)/%.o: %.c | protos
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<
$(B)/ui/assets.o: $(wildcard ui/assets/*)
$(B)/%.pb-c.o: $(B)/%.pb-c.c
	$(call say,CC,$<)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -Wno-shadow -Wno-missing-prototypes -MMD -MP -c -o $@ $<
$(B)/components/foreign_data.o: $(B)/components/foreign_data.c
	$(call say,CC,$<)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<
$(B)/components/foreign_data.c: components/reference.json scripts/foreign.py
	@mkdir -p $(@D)
	$(call say,DATA,$@)
	$(Q)$(PYTHON) scripts/foreign.py $< > $@
$(B)/%.pb-c.c: %.proto
	@mkdir -p $(B)
	$(call say,PROTO,$<)
	$(Q)protoc-c --c_out=$(B) $<
protos: $(PROTO_C)

-include $(shell find $(B) -name '*.d' 2>/dev/null)

test: unit golden fuzz-replay integration ## every test

# A program's output is shown when it fails; x_test.failed then stands beside it. AGAIN=1: those that failed last time.
UNITS := $(if $(AGAIN),$(patsubst %.failed,%,$(wildcard $(addsuffix .failed,$(TESTS)))),$(TESTS))
unit: $(addsuffix .run,$(UNITS)) ## unit tests; T=base/str runs one
	@echo "unit: $(words $(UNITS)) programs passed"
%_test.run: %_test
	@if $(TEST_ENV) timeout 300 $< >$<.log 2>&1; then rm -f $<.failed; echo "ok $<: $$(grep -c '       OK' $<.log)"; \
	 else echo "== $< failed ($$?)"; cat $<.log; mv $<.log $<.failed; exit 1; fi

golden: $(B)/weir ## language, diagnostics and component cases of tests/golden
	$(TEST_ENV) $(PYTHON) tests/golden/run.py $(B)/weir
golden-update: $(B)/weir ## rewrite the expectations; the diff is the review
	$(PYTHON) tests/golden/run.py --update $(B)/weir

# Most of a test is waiting: files of tests run beside each other where pytest can do that (pytest-xdist).
# AGAIN=1: what failed last time, one after the other.
PYTEST = $(PYTHON) -m pytest -q -rs -o cache_dir=$(abspath $(B)/pytest) $(if $(AGAIN),--lf --lfnf=none,$(BESIDE))
BESIDE = $(if $(shell $(PYTHON) -c 'import xdist' 2>/dev/null && echo 1),-n $(if $(SANITIZE),2,3) --dist loadfile)
integration: $(B)/weir bench-tools ## pytest with real peers
	WEIR=$(abspath $(B)/weir) $(TEST_ENV) $(PYTEST) tests/integration
integration-core: $(B)/weir bench-tools ## the part of it that needs nothing from outside (for sanitizer builds)
	WEIR=$(abspath $(B)/weir) $(TEST_ENV) $(PYTEST) -m core tests/integration

$(FUZZ): $(B)/tests/fuzz/fuzz_%: $(B)/tests/fuzz/fuzz_%.o $(if $(FUZZER),,$(B)/tests/fuzz/replay.o) $(foreach f,$(BELOW_cmd),$(LIB_$(f)))
	$(call say,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) $(if $(FUZZER),-fsanitize=fuzzer) -o $@ $(filter %.o,$^) -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(LIBS)
fuzz-replay: $(FUZZ) ## run every fuzz target over its committed corpus
	@for t in $(FUZZ); do echo "== $$t"; $(TEST_ENV) $$t tests/fuzz/corpus/$$(basename $$t | sed s/^fuzz_//) || exit 1; done
FUZZ_SECONDS ?= 60
fuzz: $(if $(T),$(B)/tests/fuzz/fuzz_$(T),$(FUZZ)) ## with FUZZER=1: every target (T=name: one) for FUZZ_SECONDS; inputs that fail stay in build-fuzzer/findings
	@mkdir -p $(B)/findings
	@for t in $^; do n=$${t##*/fuzz_}; mkdir -p $(B)/inputs/$$n; echo "== $$n"; \
	  $(TEST_ENV) $$t -max_total_time=$(FUZZ_SECONDS) -timeout=10 -rss_limit_mb=2048 -verbosity=0 -print_final_stats=1 \
	    -artifact_prefix=$(B)/findings/$$n- $(B)/inputs/$$n tests/fuzz/corpus/$$n || failed=1; done; [ -z "$$failed" ]

where: ## the folder of this build
	@echo $(B)
bench-tools: ## the load generators of bench/
	@$(MAKE) -s -C bench
bench: all bench-tools ## the figures of bench/RESULTS.md
	$(PYTHON) bench/run.py --weir $(abspath $(B)/weir)

floors: $(foreach f,$(FOLDERS),$(LIB_$(f))) ## includes point down; each floor uses only its libraries
	$(PYTHON) scripts/floors.py $(B)
headers: ## each header compiles alone
	@for h in $(HEADERS); do $(CC) $(CPPFLAGS) $(filter-out -O2,$(CFLAGS)) -fsyntax-only -x c $$h || { echo "header $$h does not compile alone"; exit 1; }; done
	@echo "headers: $(words $(HEADERS)) compile alone"
sizes: ## the outliers: longest files and functions (informs, never fails)
	@$(PYTHON) scripts/sizes.py
fmt: ## apply .clang-format
	$(shell command -v clang-format-14 || echo clang-format) -i $$(git ls-files '*.c' '*.h' | grep -v -e '^bench/' -e unicode_tables)
lint: ## floors, headers, warnings as errors, formatting of the examples
	$(MAKE) WERROR=1 all
	$(MAKE) floors headers lint-texts
lint-texts: $(B)/weir ## examples and the configurations in the docs: parsed, formatted, checked
	$(PYTHON) scripts/lint.py $(B)/weir
docs: $(B)/weir ## reference pages and the README's component table from the schema tables
	$(PYTHON) scripts/docs.py $(B)/weir
pictures: $(B)/weir ## the pictures of the documents (docs/images), by Graphviz
	$(PYTHON) scripts/pictures.py $(B)/weir

PREFIX ?= /usr/local
install: all ## into $(DESTDIR)$(PREFIX)
	install -D -m 0755 $(B)/weir $(DESTDIR)$(PREFIX)/bin/weir
	install -D -m 0644 examples/river/quickstart.river $(DESTDIR)$(PREFIX)/share/weir/quickstart.river
clean:
	rm -rf build build-*
help: ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## ?(.*)/  \1\t\2/' | expand -t 20

.PHONY: where all test unit golden golden-update integration integration-core fuzz fuzz-replay bench bench-tools floors headers sizes fmt lint lint-texts docs pictures install clean help protos
