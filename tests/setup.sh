#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Which packages nsview is built and tested with, which of them this machine lacks, and - on
# Debian and its kin - their installation. Needs nothing but sh: it runs before anything is there.
#
#	tests/setup.sh check NEED      names what is missing and ends with 3, changes nothing
#	tests/setup.sh install NEED    installs it where there is apt, else names it, ends with 3
#	tests/setup.sh list            the table
#
# NEED is build, test or runtimes, each of which includes those before it, or fuzz, kernels or bench,
# which include test, or guests, which includes runtimes and kernels, or arm64, which includes build.
set -u

# need | what tells that it is there | Debian | dnf | pacman | apk | what for
# A program is looked for in PATH and the sbin directories, a header below /usr/include or wherever
# the compiler finds it, an option of clang by linking with it, a path where it is, a module of
# Python's by importing it.
table='
build|cc|gcc|gcc|gcc|gcc|the C compiler
build|stdio.h|libc6-dev|glibc-devel|glibc|musl-dev|the C library
build|linux/capability.h|linux-libc-dev|kernel-headers|linux-api-headers|linux-headers|the interface of the kernel
build|clang|clang|clang|clang|clang|compiles the programs that run in the kernel
build|bpftool|bpftool|bpftool|bpf|bpftool|links them into one object and makes its skeleton
build|bpf/libbpf.h|libbpf-dev|libbpf-devel|libbpf|libbpf-dev|loads them
build|libelf.h|libelf-dev|elfutils-libelf-devel|libelf|elfutils-dev|libbpf reads objects with it
build|zlib.h|zlib1g-dev|zlib-devel|zlib|zlib-dev|libelf unpacks with it
build|sys/capability.h|libcap-dev|libcap-devel|libcap|libcap-dev|names and sets capabilities
build|json-c/json.h|libjson-c-dev|json-c-devel|json-c|json-c-dev|reads the state files of runtimes
build|archive.h|libarchive-dev|libarchive-devel|libarchive|libarchive-dev|unpacks images
build|uthash.h|uthash-dev|uthash-devel|uthash|uthash-dev|tables in memory
build|seccomp.h|libseccomp-dev|libseccomp-devel|libseccomp|libseccomp-dev|filters the system calls of sample containers
build|curses.h|libncurses-dev|ncurses-devel|ncurses|ncurses-dev|draws the live table
test|cmocka.h|libcmocka-dev|libcmocka-devel|cmocka|cmocka-dev|runs the unit tests
test|python3|python3|python3|python|python3|runs the tests on live processes
test|python3:jsonschema|python3-jsonschema|python3-jsonschema|python-jsonschema|py3-jsonschema|holds the event stream against its schema
test|git|git|git|git|git|lists the files that the lint looks at
test|clang-format|clang-format|clang-tools-extra|clang|clang-extra-tools|checks the layout of the source
test|shellcheck|shellcheck|ShellCheck|shellcheck|shellcheck|checks the shell scripts
test|jq|jq|jq|jq|jq|reads the JSON that nsview writes
test|ps|procps|procps-ng|procps-ng|procps|the ps that nsview is compared with
test|lsns|util-linux|util-linux|util-linux|lsns|the lsns that nsview is compared with
test|mount|mount|util-linux|util-linux|mount|mounts what tests hide or forge
test|capsh|libcap2-bin|libcap|libcap|libcap-utils|the names of capabilities that nsview is compared with
test|runc|runc|runc|runc|runc|makes containers to look at
test|newuidmap|uidmap|shadow-utils|shadow|shadow-uidmap|maps users for containers started without root
test|tmux|tmux|tmux|tmux|tmux|the terminal that the live table is looked at in
test|dropbear|dropbear-bin|dropbear|dropbear|dropbear dropbear-dbclient|the live table is looked at over ssh
test|strace|strace|strace|strace|strace|shows which programs nsview run executes
fuzz|-fsanitize=fuzzer|libclang-rt-dev|compiler-rt|compiler-rt|compiler-rt|feeds random bytes to parsers
runtimes|dockerd|docker.io|moby-engine|docker|docker|the Docker that nsview is compared with
runtimes|busybox|busybox-static|busybox|busybox|busybox-static|what its containers run
runtimes|ip|iproute2|iproute|iproute2|iproute2|makes the bridge that its daemon asks for
runtimes|rsyslogd|rsyslog|rsyslog|rsyslog|rsyslog|takes the stream of events
bench|execsnoop|libbpf-tools|libbpf-tools|libbpf-tools|bcc-tools|the event tools that nsview is measured against
bench|bpftrace|bpftrace|bpftrace|bpftrace|bpftrace|the same
bench|htop|htop|htop|htop|htop|the live table is measured against it
kernels|qemu-system-x86_64|qemu-system-x86|qemu-system-x86-core|qemu-system-x86|qemu-system-x86_64|runs other kernels
kernels|/usr/lib/qemu/virtiofsd|qemu-system-common|virtiofsd|virtiofsd|virtiofsd|shares the files of this machine with them
kernels|busybox|busybox-static|busybox|busybox|busybox-static|all that they have before those files
kernels|xz|xz-utils|xz|xz|xz|unpacks their modules
guests|podman|podman|podman|podman|podman|its containers are looked at in a guest
guests|crun|crun|crun|crun|crun|makes them
arm64|aarch64-linux-gnu-gcc|gcc-aarch64-linux-gnu libc6-dev-arm64-cross|gcc-aarch64-linux-gnu|aarch64-linux-gnu-gcc|gcc-aarch64-none-elf|compiles for arm64
arm64|qemu-system-aarch64|qemu-system-arm|qemu-system-aarch64-core|qemu-system-aarch64|qemu-system-aarch64|runs its kernels
'

# Whether the table's second field is on this machine.
is_there()
{
	case $1 in
	/*)
		[ -e "$1" ]
		;;
	busybox) # one that needs no library
		command -v busybox >/dev/null 2>&1 && ! ldd "$(command -v busybox)" >/dev/null 2>&1
		;;
	python3:*)
		python3 -c "import ${1#*:}" >/dev/null 2>&1
		;;
	*.h)
		[ -e "/usr/include/$1" ] && return 0
		command -v "${CC:-cc}" >/dev/null 2>&1 || return 1
		echo "#include <$1>" | "${CC:-cc}" -E -x c - >/dev/null 2>&1
		;;
	-*)
		echo 'int LLVMFuzzerTestOneInput(void) { return 0; }' |
			clang "$1" -o /dev/null -x c - >/dev/null 2>&1
		;;
	*)
		PATH=$PATH:/usr/sbin:/sbin:/usr/local/sbin command -v "$1" >/dev/null 2>&1
		;;
	esac
}

# Whether the need $2 includes the rows of $1.
is_part_of()
{
	case $1:$2 in
	build:* | test:test | test:runtimes | test:fuzz | test:kernels | test:bench | arm64:arm64) ;;
	runtimes:runtimes | fuzz:fuzz | kernels:kernels | bench:bench) ;;
	test:guests | runtimes:guests | kernels:guests | guests:guests) ;;
	*) return 1 ;;
	esac
}

# Sets missing to the rows of the need $1 (and what it includes) whose thing is not there.
find_missing()
{
	missing=
	while IFS='|' read -r need thing rest; do
		is_part_of "$need" "$1" || continue
		is_there "$thing" || missing="$missing$need|$thing|$rest
"
	done <<-END
		$table
	END
}

# The packages of the missing rows for the manager $1, in one line.
packages_for()
{
	while IFS='|' read -r need thing debian dnf pacman apk why; do
		case $need:$1 in
		:*) ;;
		*:apt-get) printf ' %s' "$debian" ;;
		*:dnf) printf ' %s' "$dnf" ;;
		*:pacman) printf ' %s' "$pacman" ;;
		*:apk) printf ' %s' "$apk" ;;
		esac
	done <<-END
		$missing
	END
}

# The command that installs them with the manager $1.
command_for()
{
	case $1 in
	apt-get) printf 'apt-get install --no-install-recommends' ;;
	dnf) printf 'dnf install' ;;
	pacman) printf 'pacman -S --needed' ;;
	apk) printf 'apk add' ;;
	esac
	packages_for "$1"
}

say_missing()
{
	case $1 in
	runtimes) echo "To compare nsview with runtimes, this machine lacks:" ;;
	bench) echo "To measure nsview, this machine lacks:" ;;
	kernels | guests) echo "To test nsview under other kernels, this machine lacks:" ;;
	arm64) echo "To build nsview for arm64, this machine lacks:" ;;
	*) echo "To $1 nsview, this machine lacks:" ;;
	esac
	while IFS='|' read -r need thing debian dnf pacman apk why; do
		[ -z "$need" ] || printf '  %-20s %s\n' "$thing" "$why"
	done <<-END
		$missing
	END
}

find_manager()
{
	for manager in apt-get dnf pacman apk; do
		# apt-get is packaged elsewhere too, where it is of no use.
		[ "$manager" != apt-get ] || [ -e /etc/debian_version ] || continue
		command -v "$manager" >/dev/null 2>&1 && return 0
	done
	manager=
}

# Names the command for this machine, or for each that we know, and ends.
give_up()
{
	say_missing "$1" >&2
	find_manager
	if [ -n "$manager" ]; then
		echo "As root: $(command_for "$manager")" >&2
		case $manager:$1 in
		apt-get:kernels) echo "or let nsview do it: make check-kernels" >&2 ;;
		apt-get:*) echo "or let nsview do it: make setup" >&2 ;;
		esac
	else
		echo "None of apt-get, dnf, pacman and apk is here; they would be:" >&2
		for manager in apt-get dnf pacman apk; do
			echo "  $(command_for "$manager")" >&2
		done
	fi
	exit 3
}

# What and why has been said; a question would only wait for nobody.
install_with_apt()
{
	$as_root apt-get -qq update || return
	# shellcheck disable=SC2046 # one word per package
	$as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o Dpkg::Use-Pty=0 \
		install --no-install-recommends $(packages_for apt-get) </dev/null
}

# Its hundreds of lines matter only when it fails.
install_quietly()
{
	said=$(install_with_apt 2>&1) && return
	printf '%s\n' "$said" >&2
	return 1
}

install_missing()
{
	find_manager
	[ "$manager" = apt-get ] || give_up "$1"
	as_root=
	if [ "$(id -u)" != 0 ]; then
		as_root=sudo
		command -v sudo >/dev/null 2>&1 || give_up "$1"
	fi
	say_missing "$1"
	echo "Installing it now: $as_root $(command_for apt-get)"
	if ! install_quietly; then
		echo "apt-get could not install them; its own words are above." >&2
		exit 3
	fi
	find_missing "$1"
	[ -z "$missing" ] || give_up "$1"
}

case ${1-}:${2-} in
check:build | check:test | check:runtimes | check:fuzz | check:kernels | check:guests | check:bench | check:arm64)
	find_missing "$2"
	[ -z "$missing" ] || give_up "$2"
	;;
install:build | install:test | install:runtimes | install:fuzz | install:kernels | install:guests | install:bench | \
	install:arm64)
	find_missing "$2"
	[ -z "$missing" ] || install_missing "$2"
	;;
list:)
	echo "$table"
	;;
*)
	echo "usage: tests/setup.sh check|install build|test|runtimes|fuzz|kernels|guests|bench|arm64, or list" >&2
	exit 2
	;;
esac
