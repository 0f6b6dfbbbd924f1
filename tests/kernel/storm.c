/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Events at the full speed of one core, counted:
 *
 *	storm exec COUNT [RATE] FILE	fork, exec and exit of a one-page program, made as FILE
 *	storm credentials COUNT	setresuid(2), each changing something
 *	storm getppid COUNT	a system call that nobody listens to: what listening costs all others
 *	storm threads COUNT	processes whose eight threads end at once
 *	storm waiting COUNT	capset(2) in as many threads at once, each of which is refused at last
 *	storm mixed SECONDS FILE	threads, set-user-id programs, user namespaces, execs out of threads
 *
 * RATE is per second; 0: as fast as it goes. Prints "name value" lines: what it did, its CPU time
 * with its children's, and its wall time, in microseconds. It starts when a line comes in.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PROGRAM_ADDRESS 0x400000UL

static struct {
	long forks, execs, exits, credentials, calls;
} done;

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "storm: %s: %s\n", what, strerror(errno));
	exit(1);
}

static long clock_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static long usage_us(int who)
{
	struct rusage usage;

	getrusage(who, &usage);
	return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000 + usage.ru_utime.tv_usec +
	       usage.ru_stime.tv_usec;
}

/* An executable of one page that calls exit(0): with the C library exec itself would be the load. */
static void write_program(const char *path)
{
	struct {
		Elf64_Ehdr header;
		Elf64_Phdr segment;
		unsigned char code[16];
	} file = {
		.header = {.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB,
				       EV_CURRENT},
			   .e_type = ET_EXEC,
			   .e_version = EV_CURRENT,
			   .e_entry = PROGRAM_ADDRESS + sizeof(Elf64_Ehdr) + sizeof(Elf64_Phdr),
			   .e_phoff = sizeof(Elf64_Ehdr),
			   .e_ehsize = sizeof(Elf64_Ehdr),
			   .e_phentsize = sizeof(Elf64_Phdr),
			   .e_phnum = 1},
		.segment = {.p_type = PT_LOAD,
			    .p_flags = PF_R | PF_X,
			    .p_vaddr = PROGRAM_ADDRESS,
			    .p_filesz = sizeof(file),
			    .p_memsz = sizeof(file),
			    .p_align = 4096},
#ifdef __x86_64__
		/* mov $60, %eax; xor %edi, %edi; syscall */
		.header.e_machine = EM_X86_64,
		.code = {0xb8, 60, 0, 0, 0, 0x31, 0xff, 0x0f, 0x05},
#else
		/* mov x0, #0; mov x8, #93; svc #0 */
		.header.e_machine = EM_AARCH64,
		.code = {0x00, 0x00, 0x80, 0xd2, 0xa8, 0x0b, 0x80, 0xd2, 0x01, 0x00, 0x00, 0xd4},
#endif
	};
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);

	if (fd < 0 || write(fd, &file, sizeof(file)) != sizeof(file) || fchmod(fd, 0755))
		die(path);
	close(fd);
}

static void execute(const char *path)
{
	char *const words[] = {(char *)path, NULL};
	pid_t child = vfork();

	if (child == 0) {
		execve(path, words, words + 1);
		_exit(127);
	}
	if (child < 0 || waitpid(child, NULL, 0) < 0)
		die("vfork");
	done.forks++;
	done.execs++;
	done.exits++;
}

static void storm_exec(char **words)
{
	long count = atol(words[0]);
	long rate = words[2] ? atol(words[1]) : 0;
	const char *path = words[2] ? words[2] : words[1];
	long started = clock_us();

	for (long i = 0; i < count; i++) {
		execute(path);
		if (rate) {
			long early = started + i * 1000000 / rate - clock_us();

			if (early > 1000)
				usleep((useconds_t)early);
		}
	}
}

static void set_saved_uid(long uid)
{
	if (syscall(SYS_setresuid, -1, -1, uid))
		die("setresuid");
	done.credentials++;
}

static void storm_credentials(char **words)
{
	long count = atol(words[0]);

	for (long i = 0; i < count; i++)
		set_saved_uid(i % 2 ? 0 : 1000);
}

static void *thread_wait(void *context)
{
	pause();
	return context;
}

static void storm_threads(char **words)
{
	long count = atol(words[0]);

	for (long i = 0; i < count; i++) {
		pid_t child = fork();
		pthread_t thread;

		for (int other = 0; child == 0 && other < 7; other++)
			if (pthread_create(&thread, NULL, thread_wait, NULL))
				_exit(1);
		if (child == 0)
			_exit(0);
		if (child < 0 || waitpid(child, NULL, 0) < 0)
			die("fork");
		done.forks++;
		done.exits++;
	}
}

static void *wait_for_page(void *page)
{
	syscall(SYS_capset, page, NULL);
	return NULL;
}

/* The page that they read from has a fault that nobody answers before all of them have it. */
static void storm_waiting(char **words)
{
	long page_size = sysconf(_SC_PAGESIZE), count = atol(words[0]);
	int fault = (int)syscall(SYS_userfaultfd, O_CLOEXEC);
	void *page = mmap(NULL, (size_t)page_size, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct uffdio_range range = {(uintptr_t)page, (uint64_t)page_size};
	struct uffdio_api api = {.api = UFFD_API};
	struct uffdio_register wanted = {.range = range, .mode = UFFDIO_REGISTER_MODE_MISSING};
	struct uffdio_zeropage zero = {.range = range};
	struct uffd_msg message;
	pthread_t *threads = calloc((size_t)count, sizeof(*threads));

	if (ioctl(fault, UFFDIO_API, &api) || ioctl(fault, UFFDIO_REGISTER, &wanted))
		die("userfaultfd");
	for (long i = 0; i < count; i++)
		if (pthread_create(&threads[i], NULL, wait_for_page, page))
			die("pthread_create");
	for (long i = 0; i < count; i++)
		if (read(fault, &message, sizeof(message)) != sizeof(message))
			die("userfaultfd");
	if (ioctl(fault, UFFDIO_ZEROPAGE, &zero))
		die("userfaultfd");
	for (done.calls = 0; done.calls < count; done.calls++)
		pthread_join(threads[done.calls], NULL);
	free(threads);
}

static void storm_getppid(char **words)
{
	for (done.calls = 0; done.calls < atol(words[0]); done.calls++)
		syscall(SYS_getppid);
}

/* --- everything at once --- */

static const char *mixed_program;

static void *mixed_thread(void *context)
{
	gid_t groups[] = {1, 2, 3};

	for (long i = 0; i < 20; i++) {
		syscall(SYS_setresuid, -1, -1, i % 2 ? 0 : 1000 + i);
		syscall(SYS_setgroups, (size_t)i % 4, groups);
	}
	return context;
}

static void *mixed_exec(void *context)
{
	execl(mixed_program, mixed_program, NULL);
	return context;
}

static void run_threads(void *(*run)(void *), int count)
{
	pthread_t threads[4];

	for (int i = 0; i < count; i++)
		if (pthread_create(&threads[i], NULL, run, NULL))
			_exit(1);
	for (int i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
}

/* In a child, which ends with it. */
static void mixed_turn(long turn)
{
	switch (turn % 6) {
	case 0:
		run_threads(mixed_thread, 4);
		break;
	case 1: /* the set-user-id program, as somebody else */
		if (!setresuid(1000, 1000, 1000))
			execl(mixed_program, mixed_program, NULL);
		break;
	case 2:
		run_threads(mixed_exec, 2);
		break;
	case 3:
		unshare(CLONE_NEWUSER | CLONE_NEWNET);
		execl(mixed_program, mixed_program, NULL);
		break;
	case 4:
		prctl(PR_CAPBSET_DROP, 3, 0, 0, 0);
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
		if (!setresuid(1000, 1000, 1000))
			execl(mixed_program, mixed_program, NULL);
		break;
	default: /* ends while its threads change */
		for (int i = 0; i < 3; i++) {
			pthread_t thread;

			pthread_create(&thread, NULL, mixed_thread, NULL);
		}
	}
	_exit(0);
}

static void storm_mixed(char **words)
{
	long end = clock_us() + atol(words[0]) * 1000000;

	mixed_program = words[1];
	for (long turn = 0; clock_us() < end; turn++) {
		pid_t child = fork();

		if (child == 0)
			mixed_turn(turn);
		if (child < 0 || waitpid(child, NULL, 0) < 0)
			die("fork");
		done.forks++;
		done.exits++;
	}
}

static const struct kind {
	const char *name;
	void (*run)(char **words);
	int words; /* at least */
	int mode;  /* of the program that is the last word; 0: none */
} kinds[] = {
	{"exec", storm_exec, 2, 0755},    {"credentials", storm_credentials, 1, 0},
	{"getppid", storm_getppid, 1, 0}, {"threads", storm_threads, 1, 0},
	{"waiting", storm_waiting, 1, 0}, {"mixed", storm_mixed, 2, 04755},
};

static const struct kind *kind_find(int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strcmp(kinds[i].name, argv[1]) && argc >= 2 + kinds[i].words)
			return &kinds[i];
	fprintf(stderr,
		"usage: storm exec|credentials|getppid|threads|waiting|mixed ...: see storm.c\n");
	exit(2);
}

int main(int argc, char **argv)
{
	const struct kind *kind = kind_find(argc, argv);
	long started;
	char line[8];

	if (kind->mode) {
		write_program(argv[argc - 1]);
		if (chmod(argv[argc - 1], (mode_t)kind->mode))
			die(argv[argc - 1]);
	}
	puts("ready");
	fflush(stdout);
	if (read(STDIN_FILENO, line, sizeof(line)) <= 0)
		return 0;
	started = clock_us();
	kind->run(argv + 2);
	printf("forks %ld\nexecs %ld\nexits %ld\ncredentials %ld\ncalls %ld\n", done.forks,
	       done.execs, done.exits, done.credentials, done.calls);
	printf("cpu_us %ld\nwall_us %ld\n", usage_us(RUSAGE_SELF) + usage_us(RUSAGE_CHILDREN),
	       clock_us() - started);
	return 0;
}
