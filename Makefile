# SPDX-License-Identifier: Apache-2.0
# airlock: one non-recursive Makefile. `make help` lists the targets. V=1 shows the commands.
# A directory of launcher/ is a trust level; which directories and which libraries go into which
# binary is written out below, so that a new library in a privileged binary is a visible diff.

VERSION := 0.1.0
BUILD   := build
PREFIX  := /usr/local
DESTDIR :=

# In CI a compiler that remembers, where it is installed; elsewhere nobody is made to have a place for that.
CCACHE  := $(if $(CI),$(notdir $(shell command -v ccache)))
CC      := $(strip $(CCACHE) gcc)
MUSLCC  := $(strip $(CCACHE) musl-gcc)
V       := 0
Q       := $(if $(filter 1,$(V)),,@)
WERROR  := $(if $(CI),-Werror,)

WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wformat=2 \
	-Wswitch-enum -Wundef $(WERROR)
HARD := -fstack-protector-strong -fstack-clash-protection -fPIE
BASE_CFLAGS := -std=gnu17 -O2 -g $(WARN) $(HARD) -D_GNU_SOURCE -DAIRLOCK_VERSION='"$(VERSION)"'
GLIBC_CFLAGS := $(BASE_CFLAGS) -D_FORTIFY_SOURCE=3 $(EXTRA_CFLAGS)
# musl has no kernel headers of its own; -idirafter lets them come last. The static binaries are
# position independent (static-pie) and carry no unwinding tables.
MULTIARCH := $(shell $(CC) -print-multiarch)
MUSL_CFLAGS := $(BASE_CFLAGS) -Os -ffunction-sections -fdata-sections \
	-fno-asynchronous-unwind-tables -idirafter /usr/include -idirafter /usr/include/$(MULTIARCH)
# Debian's musl-gcc knows no -static-pie (it would link a dynamic program without a word); this is what it means.
MUSL_LIB := /usr/lib/$(shell uname -m)-linux-musl
MUSL_LDFLAGS := -static -nostartfiles -Wl,-pie,--no-dynamic-linker,-z,text -Wl,--gc-sections \
	-Wl,-z,relro,-z,now -Wl,-z,noexecstack
musl_link = $(MUSLCC) $(MUSL_LDFLAGS) $(1) -o $@ $(MUSL_LIB)/rcrt1.o $(MUSL_LIB)/crti.o $^ $(2) $(MUSL_LIB)/crtn.o
GLIBC_LDFLAGS := -pie -Wl,-z,relro,-z,now -Wl,-z,noexecstack
SAN := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
SAN_CFLAGS := $(BASE_CFLAGS) -O1 $(SAN)

# ---- which sources -------------------------------------------------------------------------------

src = $(sort $(wildcard launcher/$(1)/*.c))
# mains are not part of a directory's archive
MAINS := launcher/cli/main_front.c launcher/cli/main_cli.c launcher/log/main_log.c launcher/jail/main.c launcher/probe/main.c launcher/inspect/main_inspect.c \
	launcher/witness/main_witness.c launcher/credd/main_credd.c

# The front: static, no library.
FRONT_SRC := $(call src,base) $(call src,sys) \
	launcher/profile/profile_codec.c launcher/profile/profile_env.c launcher/profile/profile_rule.c \
	launcher/profile/profile_words.c \
	$(sort $(wildcard launcher/plan/plan_*.c)) launcher/plan/filter_table.c \
	$(filter-out launcher/supervise/cgroup_discover.c launcher/supervise/cgroup_scope.c,$(call src,supervise)) \
	$(call src,snapshot) \
	$(filter-out launcher/store/index%.c launcher/store/pack_read%.c launcher/store/pack_check.c,$(call src,store)) \
	$(call src,scan) $(call src,workflow) launcher/credd/lease.c launcher/credd/owed.c launcher/credd/uses.c launcher/credd/credd_hear.c $(sort $(wildcard launcher/cli/front_*.c)) launcher/cli/main_front.c
# The jail: static, no library, no parser.
JAIL_SRC := launcher/base/err.c launcher/base/buf.c launcher/base/fdio.c \
	$(call src,sys) launcher/plan/plan_codec.c $(call src,jail)
# Everything else: dynamic.
CLI_SRC := $(call src,base) $(call src,sys) $(call src,scan) $(call src,profile) $(call src,bundle) $(call src,plan) $(call src,supervise) \
	$(call src,snapshot) $(call src,store) $(call src,workflow) $(call src,evidence) launcher/credd/lease.c launcher/credd/credd_say.c \
	launcher/credd/answer.c launcher/credd/hear.c launcher/credd/owed.c \
	$(sort $(wildcard launcher/credd/ssh_*.c)) \
	$(filter-out launcher/log/main_log.c,$(call src,log)) \
	$(sort $(wildcard launcher/cli/cmd_*.c)) launcher/cli/commands.c launcher/cli/control.c launcher/cli/main_cli.c \
	$(sort $(wildcard launcher/cli/collect*.c)) $(sort $(wildcard launcher/cli/rerun_*.c)) \
	$(sort $(wildcard launcher/cli/settle_*.c)) $(sort $(wildcard launcher/cli/view_*.c))
# What `profile test --live` runs in a sandbox: static, no library, nothing of ours.
PROBE_SRC := $(call src,probe)
# What a person runs in a sandbox, or outside, to see what a process there can: static, no library.
INSPECT_SRC := launcher/base/arena.c launcher/base/buf.c launcher/base/err.c launcher/base/fdio.c launcher/base/json.c \
	launcher/base/mountinfo.c launcher/base/text.c launcher/sys/confine.c launcher/probe/try.c $(call src,inspect)
LOG_SRC := $(call src,base) $(call src,store) $(call src,evidence) $(filter-out launcher/log/verify%.c,$(call src,log))
# Says of logs that they only grew: its operator's, and what airlock-log asks one with.
WITNESS_SRC := $(call src,base) $(call src,evidence) $(call src,witness)

# Holds the values of one call's credentials.
CREDD_SRC := $(call src,base) $(call src,sys) $(sort $(wildcard launcher/bundle/sealed*.c)) launcher/bundle/bundle_time.c \
	$(call src,credd)

FRONT_LIBS :=
JAIL_LIBS  :=
CLI_LIBS   := -lfyaml -lseccomp -lcap -lcgroup -lsystemd -ljansson -lsqlite3 -lzstd -lcrypto
LOG_LIBS   := -ljansson -lsqlite3 -lzstd -lcrypto
CREDD_LIBS := -lcrypto
WITNESS_LIBS := -lcrypto -lcurl -lmicrohttpd
# What tests compare with, and no program of ours links.
TEST_LIBS  := -lcriterion -lz

BINARIES := $(BUILD)/airlock $(BUILD)/airlock-cli $(BUILD)/airlock-jail $(BUILD)/airlock-credd $(BUILD)/airlock-inspect $(BUILD)/airlock-log $(BUILD)/airlock-probe $(BUILD)/airlock-witness

.PHONY: all
all: $(BINARIES)

.PHONY: help
help:
	@echo "make              build into $(BUILD)/"
	@echo "make quickstart   packages, build, and a demonstration on real input"
	@echo "make check        packages are there: build, then every test"
	@echo "make deps         install the packages of Debian 12 (through sudo when not root)"
	@echo "make deps-containers   podman and docker, for the rest of make matrix"
	@echo "make install      into DESTDIR=$(DESTDIR) PREFIX=$(PREFIX)"
	@echo "make unit|lint|e2e|containment|matrix|faults|evidence|model|compilers|analyze|bench|soak|vm|fuzz|coverage|clean"

obj = $(patsubst %.c,$(BUILD)/obj/$(1)/%.o,$(2))

$(BUILD)/airlock: $(call obj,musl,$(FRONT_SRC))
	$(Q)echo "LINK $@"; $(call musl_link,,$(FRONT_LIBS))
$(BUILD)/airlock-jail: $(call obj,musl,$(JAIL_SRC))
	$(Q)echo "LINK $@"; $(call musl_link,-s,$(JAIL_LIBS))
$(BUILD)/airlock-probe: $(call obj,musl,$(PROBE_SRC))
	$(Q)echo "LINK $@"; $(call musl_link,-s,)
$(BUILD)/airlock-inspect: $(call obj,musl,$(INSPECT_SRC))
	$(Q)echo "LINK $@"; $(call musl_link,-s,)
$(BUILD)/airlock-cli: $(call obj,glibc,$(CLI_SRC))
	$(Q)echo "LINK $@"; $(CC) $(GLIBC_LDFLAGS) -o $@ $^ $(CLI_LIBS)
$(BUILD)/airlock-log: $(call obj,glibc,$(LOG_SRC))
	$(Q)echo "LINK $@"; $(CC) $(GLIBC_LDFLAGS) -o $@ $^ $(LOG_LIBS)

$(BUILD)/airlock-credd: $(call obj,glibc,$(CREDD_SRC))
	$(Q)echo "LINK $@"; $(CC) $(GLIBC_LDFLAGS) -o $@ $^ $(CREDD_LIBS)
$(BUILD)/airlock-witness: $(call obj,glibc,$(WITNESS_SRC))
	$(Q)echo "LINK $@"; $(CC) $(GLIBC_LDFLAGS) -o $@ $^ $(WITNESS_LIBS)

# A script that airlock-cli carries in itself (.incbin).
$(BUILD)/obj/glibc/launcher/cli/view_case_script.o $(BUILD)/obj/san/launcher/cli/view_case_script.o: launcher/cli/case_verify.sh

$(BUILD)/obj/musl/%.o: %.c
	$(Q)mkdir -p $(@D); echo "MUSL $<"; $(MUSLCC) $(MUSL_CFLAGS) -MMD -MP -c -o $@ $<
$(BUILD)/obj/glibc/%.o: %.c
	$(Q)mkdir -p $(@D); echo "CC   $<"; $(CC) $(GLIBC_CFLAGS) -MMD -MP -c -o $@ $<
$(BUILD)/obj/san/%.o: %.c
	$(Q)mkdir -p $(@D); echo "SAN  $<"; $(CC) $(SAN_CFLAGS) -MMD -MP -c -o $@ $<

# ---- unit tests: criterion, one binary per source file, with ASan and UBSan --------------------------

UNIT_SRC := $(sort $(wildcard tests/unit/*/test_*.c))
UNIT_BIN := $(patsubst tests/unit/%.c,$(BUILD)/tests/unit/%,$(UNIT_SRC))
# Of launcher/cli what airlock-cli links; the front's files are the static program's own.
SAN_DIRS := base sys scan profile bundle plan supervise snapshot store workflow evidence log witness credd probe inspect cli
SAN_LIBS := $(foreach d,$(SAN_DIRS),$(BUILD)/obj/san/lib$(d).a)

define san_archive
$(BUILD)/obj/san/lib$(1).a: $(call obj,san,$(filter-out $(MAINS) launcher/cli/front_%,$(call src,$(1))))
	$(Q)rm -f $$@; ar rcs $$@ $$^
endef
$(foreach d,$(SAN_DIRS),$(eval $(call san_archive,$(d))))

$(BUILD)/tests/unit/%: $(BUILD)/obj/san/tests/unit/%.o $(SAN_LIBS)
	$(Q)mkdir -p $(@D); echo "UNIT $@"; \
	$(CC) $(SAN) -o $@ $< -Wl,--start-group $(SAN_LIBS) -Wl,--end-group $(TEST_LIBS) $(CLI_LIBS)

.PHONY: unit
unit: $(UNIT_BIN)
	$(Q)tests/unit/run $(UNIT_BIN)

# ---- everything else --------------------------------------------------------------------------------

.PHONY: check lint e2e containment matrix
check: all
	$(Q)tests/check
lint: all
	$(Q)tests/lint/run
e2e: all
	$(Q)tests/e2e/run
containment: all
	$(Q)tests/containment/run -l all
matrix: all
	$(Q)tests/containment/matrix/run

# Who is killed while he commits; what of the store has no library.
FAULTS_SRC := $(call src,base) $(call src,sys) $(call src,scan) $(call src,snapshot) \
	$(filter-out launcher/store/index%.c launcher/store/pack_read%.c launcher/store/pack_check.c,$(call src,store))
$(BUILD)/tests/faults/commit $(BUILD)/tests/faults/race: $(BUILD)/tests/faults/%: \
		$(BUILD)/obj/glibc/tests/faults/%.o $(call obj,glibc,$(FAULTS_SRC))
	$(Q)mkdir -p $(@D); echo "LINK $@"; $(CC) $(GLIBC_LDFLAGS) -o $@ $^
$(BUILD)/tests/faults/kill_at: $(call obj,glibc,tests/faults/kill_at.c)
	$(Q)mkdir -p $(@D); echo "LINK $@"; $(CC) $(GLIBC_LDFLAGS) -o $@ $^
$(BUILD)/tests/faults/fail_at: $(call obj,glibc,tests/faults/fail_at.c)
	$(Q)mkdir -p $(@D); echo "LINK $@"; $(CC) $(GLIBC_LDFLAGS) -o $@ $^ -lseccomp
$(BUILD)/tests/faults/describe: $(call obj,glibc,tests/e2e/payload/describe.c)
	$(Q)mkdir -p $(@D); echo "LINK $@"; $(CC) $(GLIBC_LDFLAGS) -o $@ $^
.PHONY: faults
faults: all $(addprefix $(BUILD)/tests/faults/,commit race kill_at fail_at describe)
	$(Q)tests/faults/run

# The log, read by programs that know nothing of airlock.
$(BUILD)/tests/evidence/make_log: $(call obj,glibc,tests/evidence/make_log.c $(call src,base) $(call src,evidence))
	$(Q)mkdir -p $(@D); echo "LINK $@"; $(CC) $(GLIBC_LDFLAGS) -o $@ $^ -lcrypto
.PHONY: evidence model
model:
	$(Q)tests/model/run
evidence: all $(BUILD)/tests/evidence/make_log
	$(Q)tests/evidence/run

# The other compiler, over every source of ours; no program of it is used.
C_SRC := $(sort $(wildcard launcher/*/*.c))
.PHONY: compilers
compilers:
	$(Q)for f in $(C_SRC); do clang -fsyntax-only $(BASE_CFLAGS) -Werror $$f || exit 1; done

.PHONY: analyze
analyze:
	$(Q)tests/analyze $(C_SRC)

# What `make faults` tries with few calls, for some minutes.
.PHONY: soak
soak: all
	$(Q)tests/faults/soak.py $(BUILD) 20000 200 1 16

.PHONY: bench vm
$(BUILD)/tests/bench/settle: $(call obj,glibc,tests/bench/settle.c $(FAULTS_SRC))
	$(Q)mkdir -p $(@D); echo "LINK $@"; $(CC) $(GLIBC_LDFLAGS) -o $@ $^
$(BUILD)/tests/bench/store: $(call obj,glibc,tests/bench/store.c $(filter-out launcher/log/main_log.c,$(LOG_SRC)))
	$(Q)mkdir -p $(@D); echo "LINK $@"; $(CC) $(GLIBC_LDFLAGS) -o $@ $^ $(LOG_LIBS)
# The relay, compiled as the front has it: its speed is the compiler's, too.
$(BUILD)/tests/bench/scan: $(call obj,musl,tests/bench/scan.c $(call src,base) $(call src,scan) \
		$(wildcard launcher/supervise/relay*.c launcher/supervise/spool.c launcher/supervise/term_*.c))
	$(Q)mkdir -p $(@D); echo "LINK $@"; $(call musl_link,,)
bench: all $(addprefix $(BUILD)/tests/bench/,scan settle store)
	$(Q)tests/bench/launch
	$(Q)tests/bench/scan
	$(Q)tests/bench/settle
	$(Q)tests/bench/store
	$(Q)tests/bench/stop
vm: all
	$(Q)tests/containment/payload/build $(BUILD)/tests/containment
	$(Q)tests/vm/build.sh && kernels=$$(tests/vm/build.sh --kernels) && [ -n "$$kernels" ] && \
		for kernel in $$kernels; do tests/vm/run.sh --kernel $$kernel || exit; done

FUZZ_SECONDS := 30
.PHONY: fuzz
fuzz:
	$(Q)tests/fuzz/run $(FUZZ_SECONDS)

# Which lines the unit tests and the inputs of the fuzzers' corpora reach, by gcov. COVERAGE_MIN per cent of what a fuzzer is for.
# `make coverage COVERAGE_UNITS=` looks at the corpora alone, in a minute.
COVERAGE_MIN := 85
COVERAGE_UNITS := $(UNIT_SRC)
COV := $(BUILD)/coverage
COV_CFLAGS := $(BASE_CFLAGS) -O0 --coverage -fprofile-update=atomic
COV_LIBS := $(foreach d,$(SAN_DIRS),$(COV)/lib$(d).a)
COV_FUZZ := $(patsubst tests/fuzz/%.c,$(COV)/fuzz/%,$(sort $(wildcard tests/fuzz/fuzz_*.c)))
COV_UNIT := $(patsubst tests/unit/%.c,$(COV)/unit/%,$(COVERAGE_UNITS))
define cov_archive
$(COV)/lib$(1).a: $(patsubst %.c,$(COV)/obj/%.o,$(filter-out $(MAINS) launcher/cli/front_%,$(call src,$(1))))
	$(Q)rm -f $$@; ar rcs $$@ $$^
endef
$(foreach d,$(SAN_DIRS),$(eval $(call cov_archive,$(d))))
$(COV)/obj/%.o: %.c
	$(Q)mkdir -p $(@D); echo "COV  $<"; $(CC) $(COV_CFLAGS) -MMD -MP -c -o $@ $<
$(COV)/obj/launcher/cli/view_case_script.o: launcher/cli/case_verify.sh
$(COV)/unit/%: $(COV)/obj/tests/unit/%.o $(COV_LIBS)
	$(Q)mkdir -p $(@D); $(CC) --coverage -o $@ $< -Wl,--start-group $(COV_LIBS) -Wl,--end-group $(TEST_LIBS) $(CLI_LIBS)
$(COV)/fuzz/%: $(COV)/obj/tests/fuzz/%.o $(COV)/obj/tests/fuzz/replay.o $(COV_LIBS)
	$(Q)mkdir -p $(@D); $(CC) --coverage -o $@ $(filter %.o,$^) -Wl,--start-group $(COV_LIBS) -Wl,--end-group $(CLI_LIBS)
.PHONY: coverage
coverage: $(COV_FUZZ) $(COV_UNIT)
	$(Q)tests/fuzz/coverage $(COV) $(COVERAGE_MIN) $(COV_UNIT)

BUILD_PACKAGES := gcc make libc6-dev linux-libc-dev musl-tools musl-dev libseccomp-dev libcap-dev libcgroup-dev \
	libfyaml-dev libssl-dev libsqlite3-dev libzstd-dev zlib1g-dev libjansson-dev libsystemd-dev \
	libmicrohttpd-dev libcurl4-openssl-dev
CHECK_PACKAGES := libcriterion-dev ccache clang libclang-rt-14-dev clang-tidy cppcheck mandoc mtree-netbsd stress-ng xz-utils openssl age shellcheck bubblewrap strace jq \
	sqlite3 python3 python3-venv python3-pytest python3-jsonschema python3-yaml git openssh-client openssh-server curl file attr binutils procps spin \
	util-linux mount e2fsprogs xxd vim-tiny nano zsh fish golang-go golang-golang-x-mod-dev
# Worlds of tests/containment/matrix: containers of others. Not for everybody's machine: docker.io starts its daemon.
CONTAINER_PACKAGES := podman crun docker.io
# The real programs that the shipped profiles are tried with: 300 MB, which quickstart does without. No npm: Debian's
# has 350 packages; where node brings it along it is tried.
PROFILE_PACKAGES := ripgrep poppler-utils tar zip unzip gzip bzip2 xz-utils pandoc ffmpeg imagemagick chromium \
	fonts-dejavu-core nodejs g++ ca-certificates
# Servers that real clients are leased credentials of: the same.
SERVER_PACKAGES := postgresql-15 postgresql-client-15
.PHONY: deps deps-quickstart deps-containers
deps: PACKAGES := $(BUILD_PACKAGES) $(CHECK_PACKAGES) $(PROFILE_PACKAGES) $(SERVER_PACKAGES)
deps-quickstart: PACKAGES := $(BUILD_PACKAGES) $(CHECK_PACKAGES)
deps-containers: PACKAGES := $(CONTAINER_PACKAGES)
deps deps-quickstart deps-containers:
	$(Q)missing=$$(for p in $(PACKAGES); do \
		dpkg-query -W -f='$${Status}' $$p 2>/dev/null | grep -q 'ok installed' || echo $$p; done); \
	if [ -n "$$missing" ]; then \
		sudo=; [ "$$(id -u)" = 0 ] || sudo=sudo; \
		$$sudo apt-get update -qq && $$sudo env DEBIAN_FRONTEND=noninteractive \
			apt-get install -y -qq --no-install-recommends $$missing; \
	fi

.PHONY: quickstart
quickstart: deps-quickstart
	$(Q)$(MAKE) --no-print-directory all
	$(Q)demo/quickstart

.PHONY: install
install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/libexec/airlock \
		$(DESTDIR)$(PREFIX)/share/airlock/profiles/vectors $(DESTDIR)$(PREFIX)/share/man/man1 \
		$(DESTDIR)$(PREFIX)/share/man/man5 $(DESTDIR)$(PREFIX)/share/man/man8 \
		$(DESTDIR)$(PREFIX)/share/bash-completion/completions \
		$(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d $(DESTDIR)$(PREFIX)/share/zsh/site-functions
	install -m 755 $(BUILD)/airlock $(BUILD)/airlock-inspect $(DESTDIR)$(PREFIX)/bin/
	install -m 755 $(BUILD)/airlock-cli $(BUILD)/airlock-jail $(BUILD)/airlock-log $(BUILD)/airlock-probe \
		$(BUILD)/airlock-witness $(BUILD)/airlock-credd \
		$(DESTDIR)$(PREFIX)/libexec/airlock/
	install -m 644 profiles/*.yaml $(DESTDIR)$(PREFIX)/share/airlock/profiles/
	install -m 644 profiles/vectors/*.yaml $(DESTDIR)$(PREFIX)/share/airlock/profiles/vectors/
	install -m 644 packaging/containers/airlock-seccomp.json $(DESTDIR)$(PREFIX)/share/airlock/
	install -m 644 docs/airlock.1 docs/airlock-inspect.1 $(DESTDIR)$(PREFIX)/share/man/man1/
	install -m 644 docs/airlock-profile.5 docs/airlock-bundle.5 $(DESTDIR)$(PREFIX)/share/man/man5/
	install -m 644 docs/airlock-jail.8 $(DESTDIR)$(PREFIX)/share/man/man8/
	install -m 644 launcher/cli/completion.bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/airlock
	install -m 644 launcher/cli/completion.fish $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/airlock.fish
	install -m 644 launcher/cli/completion.zsh $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_airlock

.PHONY: clean
clean:
	rm -rf $(BUILD)

-include $(shell find $(BUILD)/obj $(BUILD)/coverage -name '*.d' 2>/dev/null)
