/* SPDX-License-Identifier: GPL-2.0-only */
#include "cmd/demo_trial_scenes.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <linux/reboot.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "cmd/command.h"
#include "cmd/demo_trials.h"
#include "model/model.h"

#define BIT(capability) (1ULL << (capability))
#define STRING_(word) #word
#define STRING(word) STRING_(word)
#define KILLED (128 + SIGKILL)
#define PEER "plain"
#define HALF_A_CPU 500000000 /* in billionths */
#define SMALL_MEMORY (64u << 20)

#define SHELL(script) ((char *const[]){(char[]){"sh"}, (char[]){"-c"}, (char[]){script}, NULL})

/* die's exit status is errno. Without a module, which may be missing: socket(PF_INET, SOCK_STREAM),
 * and a struct sockaddr_in. */
#define BIND_80 "perl -e 'socket S,2,1,0; bind S,pack(\"SnNx8\",2,80,0) or die \"port 80: $!\\n\"'"
#define TAKE_128M "perl -e '$x = \"x\" x (128 << 20); print \"had it\\n\"'"
#define REBOOT                                                                                \
	"perl -e 'syscall(" STRING(__NR_reboot) ",0xfee1dead,672274793,0x1234567)==0 or die " \
						"\"reboot: $!\\n\"'"
_Static_assert(LINUX_REBOOT_MAGIC1 == 0xfee1dead && LINUX_REBOOT_MAGIC2 == 672274793 &&
		       LINUX_REBOOT_CMD_RESTART == 0x1234567,
	       "what perl says");

static int trial_count(uint64_t set)
{
	return __builtin_popcountll(set);
}

static bool trial_is_refused(const struct trial_seen *seen)
{
	return seen->status > 0 && seen->status < 126;
}

static bool trial_has(const struct trial_seen *seen, enum cap_set set, int capability)
{
	return seen->caps[set] & BIT(capability);
}

static bool trial_judge_owner(const struct stage *stage, const struct trial_seen *seen,
			      struct text *said)
{
	(void)stage;
	text_printf(said,
		    "The container's root has made it, and inside it is user %s's. On the host the "
		    "same file belongs to user %u, as whom that root really ran: what a user "
		    "namespace leaves behind is nobody special's.",
		    seen->printed, seen->owner);
	return !seen->status && seen->has_owner && !strcmp(seen->printed, "0") &&
	       seen->owner == seen->euid && seen->owner;
}

static bool trial_judge_refusals(const struct stage *stage, const struct trial_seen *seen,
				 struct text *said)
{
	pid_t peer = stage_actor(stage, PEER)->pid;

	text_printf(said,
		    "User %u tried all three, with %d capabilities. SYS_ADMIN, which the first two "
		    "take, is not among them: exit status %d and %d. The third ended with %d, "
		    "because %d is the number of a process of " PEER " on the host, where it still "
		    "runs; in here nobody has it.",
		    seen[0].euid, trial_count(seen[0].caps[CAP_SET_EFFECTIVE]), seen[0].status,
		    seen[1].status, seen[2].status, peer);
	for (int i = 0; i < 3; i++) {
		if (!seen[i].is_known || seen[i].euid || !trial_is_refused(&seen[i]) ||
		    trial_has(&seen[i], CAP_SET_EFFECTIVE, CAP_SYS_ADMIN))
			return false;
	}
	return !kill(peer, 0);
}

static uint32_t trial_pid_ns(const struct proc *proc)
{
	return proc->chain[proc->task->chain_count - 1].ns;
}

/* Two reasons for the kernel to refuse it, and both have been read. */
static bool trial_may_reboot(const struct stage *stage, const struct proc *proc, struct text *said)
{
	uint32_t own = stage->session.app->facts.self_ns[NS_PID];
	uint64_t all = 0;

	if (proc->unknown & (FIELD_BIT(FIELD_CHAIN) | FIELD_BIT(FIELD_CAPS)) || !own) {
		text_add_string(said, "It was not tried: the capabilities and the pid namespace "
				      "of its process could not be read.");
		return false;
	}
	for (int set = 0; set < CAP_SETS; set++)
		all |= proc->task->caps[set];
	if (!(all & BIT(CAP_SYS_BOOT)) && proc->task->chain_count > 1 &&
	    trial_pid_ns(proc) != own && trial_pid_ns(proc) != NS_HOST_PID)
		return true;
	text_printf(said,
		    "It was not tried: pid %u %s SYS_BOOT and is in pid namespace %u, nsview in "
		    "%u.",
		    proc->task->tgid, all & BIT(CAP_SYS_BOOT) ? "has" : "lacks", trial_pid_ns(proc),
		    own);
	return false;
}

static bool trial_judge_reboot(const struct stage *stage, const struct trial_seen *seen,
			       struct text *said)
{
	const struct proc *proc = stage_find(stage, (pid_t)seen->pid);

	text_printf(said,
		    "This was a real reboot(2) by user %u. Before it was let go, its process %u "
		    "was read: SYS_BOOT is in none of its capability sets, and its pid namespace "
		    "is %u, not nsview's %u. The kernel answered with errno %d, %s.",
		    seen->euid, seen->pid, proc ? trial_pid_ns(proc) : 0,
		    stage->session.app->facts.self_ns[NS_PID], seen->status,
		    strerror(seen->status));
	return proc && seen->is_known && !seen->euid && seen->status == EPERM;
}

static bool trial_judge_rename(const struct stage *stage, const struct trial_seen *seen,
			       struct text *said)
{
	char own[65] = "";

	(void)stage;
	gethostname(own, sizeof(own) - 1);
	text_printf(said, "With %d capabilities, SYS_ADMIN among them, it may: inside the name is ",
		    trial_count(seen->caps[CAP_SET_EFFECTIVE]));
	text_add_printable(said, seen->printed, strlen(seen->printed));
	text_add_string(said, " now, and this host is still called ");
	text_add_printable(said, own, strlen(own));
	text_add_string(said, ", because that name is another namespace's. SYS_ADMIN allows much "
			      "more than that; it is not a small word.");
	return !seen->status && trial_has(seen, CAP_SET_EFFECTIVE, CAP_SYS_ADMIN) &&
	       !strcmp(seen->printed, "elsewhere") && strcmp(own, "elsewhere");
}

static bool trial_judge_port(const struct stage *stage, const struct trial_seen *seen,
			     struct text *said)
{
	const struct trial_seen *root = &seen[0], *other = &seen[1];

	(void)stage;
	text_printf(
		said,
		"User %u was given %d capability and bound the port. User %u was given %d, and "
		"was refused: errno %d, %s. NET_BIND_SERVICE is in the bounding set of both: --cap-add "
		"says what a process may get, but at execve only root gets it; docker sets no "
		"ambient capabilities.",
		root->euid, trial_count(root->caps[CAP_SET_EFFECTIVE]), other->euid,
		trial_count(other->caps[CAP_SET_EFFECTIVE]), other->status,
		strerror(other->status));
	return root->is_known && other->is_known && !root->euid && other->euid && !root->status &&
	       root->caps[CAP_SET_EFFECTIVE] == BIT(CAP_NET_BIND_SERVICE) &&
	       other->status == EACCES && !other->caps[CAP_SET_EFFECTIVE] &&
	       trial_has(root, CAP_SET_BOUNDING, CAP_NET_BIND_SERVICE) &&
	       trial_has(other, CAP_SET_BOUNDING, CAP_NET_BIND_SERVICE);
}

/* Too little is the fault of a busy machine, too much is the limit's. */
static bool trial_judge_cpu(const struct stage *stage, const struct trial_seen *seen,
			    struct text *said)
{
	unsigned int percent = trial_cpu_percent(seen);

	(void)stage;
	text_printf(said,
		    "The loop wants all it can get. Its cgroup allows %u %% of one CPU, and "
		    "counted %u %%: it ran in %" PRIu64 " periods of a tenth of a second, and in "
		    "%" PRIu64 " of them the kernel stopped it.",
		    (unsigned int)(seen->cpu_limit_nano / 10000000), percent, seen->periods,
		    seen->throttled);
	if (percent < TRIAL_CPU_LEAST)
		text_add_string(said, " That is less than the limit: this machine is too busy to "
				      "show where it lies.");
	return seen->wall_ns && seen->cpu_limit_nano == HALF_A_CPU && percent <= TRIAL_CPU_MOST;
}

static bool trial_judge_memory(const struct stage *stage, const struct trial_seen *seen,
			       struct text *said)
{
	(void)stage;
	text_printf(said,
		    "Nothing was refused: the kernel gave memory up to the limit, which its cgroup "
		    "says is %" PRIu64 " MiB, and then ended it with signal %d; the cgroup has "
		    "counted %" PRIu64 " process%s killed for want of memory.",
		    seen->memory_limit_bytes >> 20, seen->status - 128, seen->oom_kills,
		    seen->oom_kills == 1 ? "" : "es");
	return seen->memory_limit_bytes == SMALL_MEMORY && seen->status == KILLED &&
	       seen->oom_kills;
}

const struct trial_scene trial_scenes[] = {
	{.title = "Whose is the file?",
	 .trials = {{.spec = {.userns = "auto"},
		     .shown = "sh -c 'echo hello > /data/file; stat -c %%u /data/file'",
		     .program = "stat",
		     .has_folder = true,
		     .command = SHELL("echo hello > /data/file; stat -c %u /data/file 2>&1")}},
	 .claim = "a file that is root's inside, and belongs to the container's own root outside",
	 .judge = trial_judge_owner},
	{.title = "What that root cannot do",
	 .trials = {{.shown = "hostname elsewhere",
		     .program = "hostname",
		     .command = SHELL("hostname elsewhere 2>&1")},
		    {.shown = "mount -t tmpfs none /mnt",
		     .program = "mount",
		     .command = SHELL("mount -t tmpfs none /mnt 2>&1")},
		    {.shown = "sh -c 'kill %d'",
		     .program = "sh",
		     .peer = PEER,
		     .command = SHELL("kill $PEER 2>&1")}},
	 .claim = "root that can neither rename its host nor mount, nor signal another container",
	 .judge = trial_judge_refusals},
	{.title = "Not even reboot",
	 .trials = {{.shown = REBOOT,
		     .program = "perl",
		     .may_go_on = trial_may_reboot,
		     .command = SHELL("read go; exec " REBOOT " 2>&1")}},
	 .claim = "a reboot that the kernel refuses",
	 .judge = trial_judge_reboot},
	{.title = "Root again, with the capability",
	 .trials = {{.spec = {SPEC_WORDS(cap_add, "SYS_ADMIN")},
		     .shown = "sh -c 'hostname elsewhere && hostname'",
		     .program = "hostname",
		     .command = SHELL("hostname elsewhere 2>&1 && hostname 2>&1")}},
	 .claim = "a host name that changes inside with SYS_ADMIN",
	 .judge = trial_judge_rename},
	{.title = "Only what is needed: port 80",
	 .trials = {{.spec = {SPEC_WORDS(cap_drop, "ALL"), SPEC_WORDS(cap_add, "NET_BIND_SERVICE")},
		     .shown = BIND_80,
		     .program = "perl",
		     .command = SHELL(BIND_80 " 2>&1")},
		    {.spec = {SPEC_WORDS(cap_drop, "ALL"), SPEC_WORDS(cap_add, "NET_BIND_SERVICE"),
			      .user = "1000"},
		     .shown = BIND_80,
		     .program = "perl",
		     .command = SHELL(BIND_80 " 2>&1")}},
	 .claim = "port 80 bound by root with NET_BIND_SERVICE, and not by user 1000",
	 .judge = trial_judge_port},
	{.title = "Half a CPU",
	 .trials = {{.spec = {.cpus = ".5"},
		     .shown = "sh -c 'while :; do :; done'",
		     .program = "sh",
		     .is_busy = true,
		     .command = SHELL("while :; do :; done")}},
	 .claim = "a loop without end that gets 45 to 55 % of one CPU",
	 .judge = trial_judge_cpu},
	{.title = "64 MiB of memory",
	 .trials = {{.spec = {.memory = "64m"},
		     .shown = TAKE_128M,
		     .program = "perl",
		     .command = SHELL("exec " TAKE_128M)}},
	 .claim = "a process killed for taking twice its container's memory",
	 .judge = trial_judge_memory},
};
const size_t trial_scenes_count = ARRAY_SIZE(trial_scenes);
