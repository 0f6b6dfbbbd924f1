# SPDX-License-Identifier: GPL-2.0-only
# Everything that is built lies in $(BUILD); `make help` lists the targets.
BUILD ?= build
CC ?= cc
CLANG ?= clang
READELF ?= readelf
BPFTOOL ?= $(firstword $(wildcard /usr/sbin/bpftool /usr/local/sbin/bpftool) bpftool)
CLANG_FORMAT ?= clang-format
PREFIX ?= /usr/local
ARCH ?= $(shell uname -m)
BPF_ARCH := $(if $(filter aarch64 arm64,$(ARCH)),arm64,x86)
K ?= $(if $(filter arm64,$(BPF_ARCH)),6.1 6.12,5.10 6.1 6.12 6.18 7)
CFLAGS ?= -O2 -g
WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith \
	-Wformat=2 -Wno-format-nonliteral -Werror
USER_CFLAGS := -std=gnu17 -D_GNU_SOURCE -Iuser -I. -I$(BUILD) -fno-common $(WARNINGS)
# Block placement may close a loop by falling through to its head, which 5.10 and 6.1 refuse
# ("back-edge").
BPF_CFLAGS := -g -O2 -target bpf -D__TARGET_ARCH_$(BPF_ARCH) -Ivmlinux -I. -Wall -Wextra -Werror \
	-Wno-unused-parameter -mllvm -disable-block-placement
LIBS := -lbpf -lelf -lz -lcap -ljson-c -lseccomp -lncursesw -ltinfo
SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer

# NAME_absent.c is what nsview-static has instead of NAME.c: libarchive and what comes with it would
# make it many times as large. nsview loads them when it needs them.
ABSENT := $(wildcard user/*/*_absent.c)
ARCHIVED := $(ABSENT:_absent.c=.c) user/launch/bundle.c user/launch/libarchive.c \
	user/launch/unpack.c
USER_SOURCES := $(filter-out $(ABSENT),$(wildcard user/*.c user/*/*.c user/*/*/*.c))
USER_OBJECTS := $(USER_SOURCES:%.c=$(BUILD)/%.o)
BPF_OBJECTS := $(patsubst %.c,$(BUILD)/%.o,$(wildcard bpf/*.bpf.c))
STATIC_OBJECTS := $(filter-out $(ARCHIVED:%.c=$(BUILD)/%.o),$(USER_OBJECTS)) $(ABSENT:%.c=$(BUILD)/%.o)
UNIT_TESTS := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/unit/*.c))
FUZZERS := $(patsubst %.c,%,$(wildcard tests/fuzz/*.c))
FUZZ_SECONDS ?= 60
# What measures a part of nsview itself.
MEASURES := $(BUILD)/tests/bench/line $(BUILD)/tests/bench/frame
# Programs that tests look at or are measured with: static, so that they run in any root.
SUBJECTS := $(filter-out $(MEASURES),$(patsubst %.c,$(BUILD)/%,$(filter-out %.bpf.c,\
	$(wildcard tests/kernel/*.c tests/vm/*.c tests/bench/*.c))))
# What asks the kernel whether it has trampolines.
TRAMPOLINE := $(BUILD)/tests/kernel/trampoline.bpf.o
# All programs, and the task iterator alone for who only takes a snapshot.
SKELETONS := $(BUILD)/nsview.skel.h $(BUILD)/snapshot.skel.h

# Short lines; V=1 shows the commands.
Q := $(if $(V),,@)
say = $(if $(V),@:,@echo '  $1')

.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: all static demo check check-runtimes setup tests bench bpf-arm64 asan fuzz fuzzers lint format install \
	help clean force

all: $(BUILD)/nsview ## build the program

static: $(BUILD)/nsview-static ## build one file that runs anywhere, without run --image

# make of $(1) for arm64, in $(BUILD)/arm64. +: make does not see that this is make, too.
define make_arm64
@sh tests/setup.sh install arm64
+@root=$$(tests/vm/sysroot)/usr && libraries=$$root/lib/aarch64-linux-gnu && \
	$(MAKE) --no-print-directory ARCH=arm64 BUILD=$(BUILD)/arm64 CC=aarch64-linux-gnu-gcc \
	LDFLAGS="-L$$libraries -Wl,-rpath-link=$$libraries" \
	CPPFLAGS="-isystem $$root/include -isystem $$root/include/aarch64-linux-gnu" $(1)
endef

.PHONY: static-arm64
static-arm64: ## the same for arm64, built here: build/nsview-static-arm64
	$(call make_arm64,static subjects)
	@cp $(BUILD)/arm64/nsview-static $(BUILD)/nsview-static-arm64

demo: ## install what is missing, build, and run the demo
	@sh tests/setup.sh install build
	@$(MAKE) --no-print-directory all
	@if [ "$$(id -u)" = 0 ]; then $(BUILD)/nsview demo; else \
		echo "The demo makes containers, which takes root: sudo $(BUILD)/nsview demo"; \
		sudo $(BUILD)/nsview demo; fi

check: setup ## install what is missing, build, and run every test that this machine allows
	@$(MAKE) --no-print-directory all tests
	@BUILD=$(BUILD) tests/run

# All that is tested under the kernels $(1), for this machine and for arm64.
define make_for_kernels
@sh tests/setup.sh install kernels
$(if $(filter-out arm64:%,$(1)),+@$(MAKE) --no-print-directory all tests static)
$(if $(filter arm64:%,$(1)),$(call make_arm64,all static subjects))
endef

.PHONY: check-kernels check-kernels-all
check-kernels check-kernels-all: KERNELS = $(if $(filter arm64,$(BPF_ARCH)),$(patsubst %,arm64:%,$(patsubst arm64:%,%,$(K))),$(K))
check-kernels: ## run what depends on the kernel under others, in QEMU: K="5.10 6.1", or ARCH=arm64 K="6.1 6.12"
	$(call make_for_kernels,$(KERNELS))
	@BUILD=$(BUILD) tests/kernel/vm/check $(KERNELS)

check-kernels-all: ## run every live test under other kernels
	$(call make_for_kernels,$(KERNELS))
	@BUILD=$(BUILD) tests/kernel/vm/check -a $(KERNELS)

.PHONY: check-kernels-quick
check-kernels-quick: K = 5.10 6.1 7
check-kernels-quick: ## of these what depends on the kernel most: K="5.10 6.1 7"
	$(call make_for_kernels,$(K))
	@BUILD=$(BUILD) tests/kernel/vm/check -q $(K)

.PHONY: check-kernels-runtimes
check-kernels-runtimes: K = 6.1
check-kernels-runtimes: ## run the tests beside docker and podman under other kernels, in QEMU: K="6.1"
	@sh tests/setup.sh install guests
	@$(MAKE) --no-print-directory all tests
	@BUILD=$(BUILD) tests/kernel/vm/check -r $(K)

.PHONY: check-static
check-static: ## run nsview-static alone under other kernels, in QEMU: K="5.10 7 arm64:6.1"
	@sh tests/setup.sh install kernels
	@$(MAKE) --no-print-directory tests static $(if $(filter arm64:%,$(K)),static-arm64)
	@BUILD=$(BUILD) tests/kernel/vm/check -s $(K)

.PHONY: kernel-table
kernel-table: K = 5.10 6.1 6.12 6.18 7 arm64:6.1 arm64:6.12
kernel-table: ## make docs/kernels.md anew, from what doctor says under other kernels, in QEMU
	@sh tests/setup.sh install kernels
	@$(MAKE) --no-print-directory tests static $(if $(filter arm64:%,$(K)),static-arm64)
	@BUILD=$(BUILD) tests/vm/table.py $(K)

setup: ## install what is missing to build and test
	@sh tests/setup.sh install test

check-runtimes: ## install docker, build, and compare with containers of a private dockerd
	@sh tests/setup.sh install runtimes
	@$(MAKE) --no-print-directory all tests
	@BUILD=$(BUILD) tests/run runtimes

tests: $(UNIT_TESTS) subjects ## build the tests

.PHONY: subjects
subjects: $(SUBJECTS) $(TRAMPOLINE)

bench: ## measure ps against ps aux and lsns, events against execsnoop and bpftrace, top against top
	@sh tests/setup.sh install bench
	@$(MAKE) --no-print-directory all $(SUBJECTS) $(MEASURES)
	BUILD=$(BUILD) tests/bench/run
	BUILD=$(BUILD) tests/bench/events
	BUILD=$(BUILD) tests/bench/top
	$(BUILD)/tests/bench/line
	$(BUILD)/tests/bench/frame

bpf-arm64: ## build the kernel side for arm64
	@$(MAKE) --no-print-directory ARCH=arm64 BUILD=$(BUILD)/arm64 $(BUILD)/arm64/nsview.bpf.o

asan: ## run the unit and live tests with AddressSanitizer and UBSan
	@$(MAKE) --no-print-directory BUILD=$(BUILD)/asan CFLAGS="-O1 -g $(SANITIZE)" \
		LDFLAGS=tests/asan/options.c all tests
	@BUILD=$(BUILD)/asan tests/run "unit.*"
	@for words in "ps --json" "ps --source proc" caps; do \
		ASAN_OPTIONS=detect_leaks=1 $(BUILD)/asan/nsview $$words >/dev/null || exit 1; done
	@BUILD=$(BUILD)/asan tests/run "format.*"
	@BUILD=$(BUILD)/asan tests/run "kernel.*"

fuzz: ## feed random bytes to what reads hostile input, FUZZ_SECONDS each
	@sh tests/setup.sh install fuzz
	@$(MAKE) --no-print-directory BUILD=$(BUILD)/fuzz CC="$(CLANG)" \
		CFLAGS="-O1 -g $(SANITIZE) -fsanitize=fuzzer-no-link" fuzzers
	@for fuzzer in $(FUZZERS:%=$(BUILD)/fuzz/%); do echo "$$fuzzer"; \
		$$fuzzer -max_total_time=$(FUZZ_SECONDS) -verbosity=0 -print_final_stats=1 \
			-artifact_prefix=$(BUILD)/fuzz/ || exit 1; done

fuzzers: $(FUZZERS:%=$(BUILD)/%)

lint: ## check layers, walls, layout, and that hooks and programs agree
	@tests/lint/run

format: ## lay out the source as .clang-format says
	$(CLANG_FORMAT) -i $$(git ls-files '*.c' '*.h')

compile_commands.json: $(BUILD)/flags ## describe the build to editors
	@{ printf '['; separator=; for source in $(USER_SOURCES); do printf \
		'%s\n{"directory": "%s", "file": "%s", "command": "%s -c %s"}' "$$separator" \
		"$(CURDIR)" "$$source" "$(CC) $(CFLAGS) $(USER_CFLAGS)" "$$source"; separator=,; \
		done; printf '\n]\n'; } > $@.new && mv $@.new $@

install: all ## copy the program to $(DESTDIR)$(PREFIX)/bin
	install -D -m 755 $(BUILD)/nsview $(DESTDIR)$(PREFIX)/bin/nsview

help: ## list the targets
	@sed -n 's/^\([a-z0-9_.-]*\):.*## \(.*\)/  \1\t\2/p' $(MAKEFILE_LIST) | expand -t 26

clean: ## remove everything that was built
	rm -rf $(BUILD) compile_commands.json

# Names what this machine lacks, before the first compiler does so in worse words.
$(BUILD)/setup.ok: tests/setup.sh
	@sh tests/setup.sh check build
	@mkdir -p $(@D) && touch $@

# Another compiler or other flags make everything anew.
$(BUILD)/flags: force | $(BUILD)/setup.ok
	@echo '$(CC) $(CPPFLAGS) $(CFLAGS) $(USER_CFLAGS) $(LDFLAGS) $(CLANG) $(BPF_CFLAGS)' > $@.new
	@cmp -s $@.new $@ && rm $@.new || mv $@.new $@

$(BUILD)/nsview: $(USER_OBJECTS)
	$(call say,LINK $@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

# The linker warns of names of users, which nss_absent.c keeps to /etc/passwd.
$(BUILD)/nsview-static: $(STATIC_OBJECTS)
	$(call say,LINK $@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -static -s -Wl,--gc-sections,--no-warnings -o $@ $^ $(LIBS)

# The name that a program linked with -larchive here would ask for.
$(BUILD)/libarchive_soname.h: Makefile $(BUILD)/flags
	$(call say,SONAME $@)
	$(Q)$(CC) $(LDFLAGS) -shared -nostdlib -Wl,--no-as-needed -o $@.so -larchive
	$(Q)$(READELF) -d $@.so | sed -n '/NEEDED/s/.*\[\(libarchive\..*\)\].*/#define LIBARCHIVE_SONAME "\1"/p' > $@.new
	@[ -s $@.new ] || { echo 'nsview: found no shared libarchive to link with: install its development package' >&2; exit 1; }
	@rm $@.so && mv $@.new $@

$(BUILD)/user/launch/libarchive.o: $(BUILD)/libarchive_soname.h

$(BUILD)/tests/unit/test_launch_unpack: LIBS += -larchive

$(BUILD)/user/%.o: user/%.c Makefile $(BUILD)/flags | $(SKELETONS)
	@mkdir -p $(@D)
	$(call say,CC $@)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) $(USER_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/%.bpf.o: %.bpf.c Makefile $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,BPF $@)
	$(Q)$(CLANG) $(BPF_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/nsview.bpf.o: $(BPF_OBJECTS)
	$(call say,BPF $@)
	$(Q)$(BPFTOOL) gen object $@.new $^ && mv $@.new $@

$(BUILD)/snapshot.bpf.o: bpf/tasks.bpf.c Makefile $(BUILD)/flags
	$(call say,BPF $@)
	$(Q)$(CLANG) $(BPF_CFLAGS) -DSNAPSHOT_ONLY -MMD -MP -MT $@ \
		-MF $(@:.o=.d) -c -o $@.whole $<
	$(Q)$(BPFTOOL) gen object $@.new $@.whole && mv $@.new $@

$(SKELETONS): $(BUILD)/%.skel.h: $(BUILD)/%.bpf.o
	$(call say,SKEL $@)
	$(Q)$(BPFTOOL) gen skeleton $< name $*_bpf > $@.new && mv $@.new $@

$(UNIT_TESTS) $(MEASURES): $(BUILD)/%: %.c $(filter-out $(BUILD)/user/main.o,$(USER_OBJECTS))
	@mkdir -p $(@D)
	$(call say,TEST $@)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) $(USER_CFLAGS) -MMD -MP -o $@ $(filter %.c %.o,$^) $(LIBS) -lcmocka

$(BUILD)/tests/fuzz/%: tests/fuzz/%.c $(filter-out $(BUILD)/user/main.o,$(USER_OBJECTS))
	@mkdir -p $(@D)
	$(call say,FUZZ $@)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) $(USER_CFLAGS) -fsanitize=fuzzer -MMD -MP -o $@ \
		$(filter %.c %.o,$^) $(LIBS) -lcmocka

$(SUBJECTS): $(BUILD)/%: %.c Makefile | $(BUILD)/setup.ok
	@mkdir -p $(@D)
	$(call say,TEST $@)
	$(Q)$(CC) -O2 -g -std=gnu17 -D_GNU_SOURCE $(WARNINGS) -static -MMD -MP -o $@ $<

-include $(USER_OBJECTS:.o=.d) $(ABSENT:%.c=$(BUILD)/%.d) $(BPF_OBJECTS:.o=.d) $(BUILD)/snapshot.bpf.d $(UNIT_TESTS:=.d) $(MEASURES:=.d) \
	$(SUBJECTS:=.d) $(FUZZERS:%=$(BUILD)/%.d)
