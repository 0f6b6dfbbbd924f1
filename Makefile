# SPDX-License-Identifier: GPL-2.0-only
# Everything that is built lies in $(BUILD); `make help` lists the targets.
BUILD ?= build
CC ?= cc
CLANG ?= clang
BPFTOOL ?= $(firstword $(wildcard /usr/sbin/bpftool /usr/local/sbin/bpftool) bpftool)
CLANG_FORMAT ?= clang-format
ARCH ?= $(shell uname -m)

BPF_ARCH := $(if $(filter aarch64 arm64,$(ARCH)),arm64,x86)
CFLAGS ?= -O2 -g
WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith \
	-Wformat=2 -Wno-format-nonliteral -Werror
USER_CFLAGS := -std=gnu17 -D_GNU_SOURCE -Iuser -I. -I$(BUILD) -fno-common $(WARNINGS)
BPF_CFLAGS := -g -O2 -target bpf -D__TARGET_ARCH_$(BPF_ARCH) -Ivmlinux -I. -Wall -Wextra -Werror \
	-Wno-unused-parameter
LIBS := -lbpf -lelf -lz -lcap -ljson-c

USER_SOURCES := $(wildcard user/*.c user/*/*.c user/*/*/*.c)
USER_OBJECTS := $(USER_SOURCES:%.c=$(BUILD)/%.o)
BPF_OBJECTS := $(patsubst %.c,$(BUILD)/%.o,$(wildcard bpf/*.bpf.c))
UNIT_TESTS := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/unit/*.c))
SKELETON := $(BUILD)/nsview.skel.h

.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: all help

all: $(BUILD)/nsview ## build the program

help: ## list the targets
	@sed -n 's/^\([a-z_.-]*\):.*## \(.*\)/  \1\t\2/p' $(MAKEFILE_LIST) | expand -t 24

$(BUILD)/nsview: $(USER_OBJECTS)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

$(BUILD)/user/%.o: user/%.c Makefile | $(SKELETON)
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) $(USER_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/bpf/%.bpf.o: bpf/%.bpf.c Makefile
	@mkdir -p $(@D)
	$(CLANG) $(BPF_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/nsview.bpf.o: $(BPF_OBJECTS)
	$(BPFTOOL) gen object $@.new $^ && mv $@.new $@

$(SKELETON): $(BUILD)/nsview.bpf.o
	$(BPFTOOL) gen skeleton $< name nsview_bpf > $@.new && mv $@.new $@

$(BUILD)/tests/unit/%: tests/unit/%.c $(filter-out $(BUILD)/user/main.o,$(USER_OBJECTS))
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) $(USER_CFLAGS) -MMD -MP -o $@ $^ $(LIBS) -lcmocka

-include $(USER_OBJECTS:.o=.d) $(BPF_OBJECTS:.o=.d) $(UNIT_TESTS:=.d)
