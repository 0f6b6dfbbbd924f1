/* SPDX-License-Identifier: GPL-2.0-only */
#include "launch/seccomp_table.h"

#include <linux/capability.h>

#include "base/mem.h"

#define CAN(name) (1ULL << CAP_##name)

/*
 * What docker's default profile lets through, by what it is for; where its versions differ, the
 * newer and stricter one (no io_uring since Docker 25). Names of all architectures: those that one
 * lacks are nothing there. Left out on purpose is what names no namespace (keys, kernel modules,
 * swap, quota, the clock, NUMA placement), what has been a way out before (bpf, perf, userfaultfd,
 * io_uring), and what nobody uses any more.
 */
const struct seccomp_row seccomp_table[] = {
	{0,
	 "read write readv writev pread64 pwrite64 preadv pwritev preadv2 pwritev2 lseek _llseek "
	 "open openat openat2 creat close close_range dup dup2 dup3 fcntl fcntl64 flock ioctl "
	 "pipe pipe2 splice tee vmsplice sendfile sendfile64 copy_file_range readahead "
	 "fadvise64 fadvise64_64 arm_fadvise64_64 fallocate ftruncate ftruncate64 truncate "
	 "truncate64 fsync fdatasync sync syncfs sync_file_range sync_file_range2 "
	 "arm_sync_file_range cachestat"},
	{0, "stat stat64 lstat lstat64 fstat fstat64 fstatat64 newfstatat statx statfs statfs64 "
	    "fstatfs fstatfs64 access faccessat faccessat2 readlink readlinkat getdents getdents64 "
	    "getcwd chdir fchdir mkdir mkdirat rmdir rename renameat renameat2 link linkat symlink "
	    "symlinkat unlink unlinkat mknod mknodat umask chmod fchmod fchmodat fchmodat2 chown "
	    "chown32 fchown fchown32 fchownat lchown lchown32 utime utimes futimesat utimensat "
	    "utimensat_time64 name_to_handle_at statmount listmount"},
	{0, "getxattr lgetxattr fgetxattr setxattr lsetxattr fsetxattr listxattr llistxattr "
	    "flistxattr removexattr lremovexattr fremovexattr getxattrat setxattrat listxattrat "
	    "removexattrat"},
	{0, "poll ppoll ppoll_time64 select _newselect pselect6 pselect6_time64 epoll_create "
	    "epoll_create1 epoll_ctl epoll_ctl_old epoll_wait epoll_wait_old epoll_pwait "
	    "epoll_pwait2 eventfd eventfd2 signalfd signalfd4 inotify_init inotify_init1 "
	    "inotify_add_watch inotify_rm_watch fanotify_mark io_setup io_destroy io_submit "
	    "io_cancel io_getevents io_pgetevents io_pgetevents_time64"},
	{0, "mmap mmap2 munmap mremap mprotect msync madvise mincore mlock mlock2 mlockall munlock "
	    "munlockall brk membarrier memfd_create memfd_secret remap_file_pages mseal pkey_alloc "
	    "pkey_free pkey_mprotect map_shadow_stack"},
	{0, "execve execveat exit exit_group fork vfork wait4 waitid waitpid getpid getppid gettid "
	    "getpgid getpgrp setpgid getsid setsid set_tid_address prctl pidfd_open "
	    "pidfd_send_signal process_mrelease seccomp landlock_create_ruleset landlock_add_rule "
	    "landlock_restrict_self lsm_get_self_attr lsm_set_self_attr lsm_list_modules"},
	{0,
	 "getuid getuid32 geteuid geteuid32 getgid getgid32 getegid getegid32 getresuid "
	 "getresuid32 getresgid getresgid32 getgroups getgroups32 setuid setuid32 setgid setgid32 "
	 "setreuid setreuid32 setregid setregid32 setresuid setresuid32 setresgid setresgid32 "
	 "setfsuid setfsuid32 setfsgid setfsgid32 setgroups setgroups32 capget capset"},
	{0, "kill tkill tgkill rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo "
	    "rt_tgsigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait rt_sigtimedwait_time64 "
	    "sigaltstack sigprocmask sigreturn pause restart_syscall alarm getitimer setitimer"},
	{0, "futex futex_time64 futex_waitv futex_wait futex_wake futex_requeue set_robust_list "
	    "get_robust_list set_thread_area get_thread_area rseq sched_yield sched_getaffinity "
	    "sched_setaffinity sched_getattr sched_setattr sched_getparam sched_setparam "
	    "sched_getscheduler sched_setscheduler sched_get_priority_max sched_get_priority_min "
	    "sched_rr_get_interval sched_rr_get_interval_time64 getpriority setpriority ioprio_get "
	    "ioprio_set getcpu getrlimit ugetrlimit setrlimit prlimit64 getrusage times"},
	{0,
	 "time gettimeofday clock_gettime clock_gettime64 clock_getres clock_getres_time64 "
	 "clock_nanosleep clock_nanosleep_time64 clock_adjtime clock_adjtime64 adjtimex nanosleep "
	 "timer_create timer_delete timer_getoverrun timer_gettime timer_gettime64 timer_settime "
	 "timer_settime64 timerfd_create timerfd_gettime timerfd_gettime64 timerfd_settime "
	 "timerfd_settime64 uname sysinfo getrandom"},
	{0, "socketpair socketcall bind listen accept accept4 connect shutdown getsockname "
	    "getpeername getsockopt setsockopt send sendto sendmsg sendmmsg recv recvfrom recvmsg "
	    "recvmmsg recvmmsg_time64"},
	{0,
	 "ipc msgget msgctl msgsnd msgrcv semget semctl semop semtimedop semtimedop_time64 shmget "
	 "shmat shmctl shmdt mq_open mq_unlink mq_getsetattr mq_notify mq_timedsend "
	 "mq_timedsend_time64 mq_timedreceive mq_timedreceive_time64"},
	/* The machine's own. */
	{0, "arch_prctl modify_ldt breakpoint cacheflush set_tls riscv_hwprobe"},
	/* Since Linux 4.8 a tracer cannot change a call behind the filter's back. */
	{0, "ptrace process_vm_readv process_vm_writev"},

	{CAN(DAC_READ_SEARCH), "open_by_handle_at"},
	{CAN(SYS_ADMIN), "clone clone3 unshare setns mount umount umount2 mount_setattr move_mount "
			 "open_tree open_tree_attr fsopen fsconfig fsmount fspick sethostname "
			 "setdomainname quotactl quotactl_fd fanotify_init lookup_dcookie"},
	{CAN(SYS_ADMIN) | CAN(BPF), "bpf"},
	{CAN(SYS_ADMIN) | CAN(PERFMON), "perf_event_open"},
	{CAN(SYS_ADMIN) | CAN(SYSLOG), "syslog"},
	{CAN(SYS_BOOT), "reboot"},
	{CAN(SYS_CHROOT), "chroot"},
	{CAN(SYS_MODULE), "init_module finit_module delete_module"},
	{CAN(SYS_NICE), "get_mempolicy set_mempolicy set_mempolicy_home_node mbind"},
	{CAN(SYS_PACCT), "acct"},
	{CAN(SYS_PTRACE), "kcmp pidfd_getfd process_madvise"},
	{CAN(SYS_RAWIO), "iopl ioperm"},
	{CAN(SYS_TIME), "settimeofday stime clock_settime clock_settime64"},
	{CAN(SYS_TTY_CONFIG), "vhangup"},
};

const size_t seccomp_table_count = ARRAY_SIZE(seccomp_table);
