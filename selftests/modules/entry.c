// SPDX-License-Identifier: GPL-2.0
/*
 * Looks at who enters a function of the kernel, and can let them sleep before they do, so
 * that a race is lost each time. Parameters, set when it is loaded:
 *   function   the name
 *   comm       only threads whose name begins so
 *   noio, throttle
 *              the thread must have PF_MEMALLOC_NOIO, PF_LOCAL_THROTTLE
 *   delay      ms that it sleeps; a function that may sleep, with six arguments at most
 * and to be read:
 *   calls      how often it was entered
 *   lacking    how often without a flag that was asked for
 */
#include <linux/atomic.h>
#include <linux/delay.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>

static char *function = "", *comm = "";
static bool noio, throttle;
static unsigned int delay, calls, lacking;

module_param(function, charp, 0400);
module_param(comm, charp, 0400);
module_param(noio, bool, 0400);
module_param(throttle, bool, 0400);
module_param(delay, uint, 0400);
module_param(calls, uint, 0400);
module_param(lacking, uint, 0400);

/* Who was sent to entry_late() and has not come back. */
static atomic_t late = ATOMIC_INIT(0);
/* Who has slept and goes in now: one at a time. */
static struct task_struct *rested;
static DEFINE_MUTEX(rested_mutex);
static unsigned long (*entered)(unsigned long a, unsigned long b, unsigned long c,
				unsigned long d, unsigned long e, unsigned long f);

/* Instead of the function: its arguments are still where they were. */
static noinline unsigned long entry_late(unsigned long a, unsigned long b,
					 unsigned long c, unsigned long d,
					 unsigned long e, unsigned long f)
{
	unsigned long ret;

	msleep(delay);
	mutex_lock(&rested_mutex);
	WRITE_ONCE(rested, current);
	ret = entered(a, b, c, d, e, f);
	WRITE_ONCE(rested, NULL);
	mutex_unlock(&rested_mutex);
	atomic_dec(&late);
	return ret;
}

static int entry_seen(struct kprobe *p, struct pt_regs *regs)
{
	unsigned int need = (noio ? PF_MEMALLOC_NOIO : 0) |
			    (throttle ? PF_LOCAL_THROTTLE : 0);

	if (READ_ONCE(rested) == current ||
	    strncmp(current->comm, comm, strlen(comm)))
		return 0;
	WRITE_ONCE(calls, READ_ONCE(calls) + 1);
	if (need & ~current->flags)
		WRITE_ONCE(lacking, READ_ONCE(lacking) + 1);
	if (!delay)
		return 0;
	atomic_inc(&late);
	instruction_pointer_set(regs, (unsigned long)entry_late);
	return 1;
}

/*
 * Does nothing but be there: where a kprobe has none, the kernel may put a jump in place of
 * the breakpoint, and such a probe does not heed where its handler sends the thread
 * (Documentation/trace/kprobes.rst, "Optimization").
 */
static void entry_passed(struct kprobe *p, struct pt_regs *regs, unsigned long flags)
{
}

static struct kprobe probe = {
	.pre_handler = entry_seen,
	.post_handler = entry_passed,
};

static int __init entry_init(void)
{
	static const u8 endbr[] = { 0xf3, 0x0f, 0x1e, 0xfa };
	int err;

	probe.symbol_name = function;
	err = register_kprobe(&probe);
	if (err)
		return err;
	/* The probe is behind the landing pad, which a call by pointer may need. */
	entered = (void *)probe.addr;
	if (!memcmp(probe.addr - sizeof(endbr), endbr, sizeof(endbr)))
		entered = (void *)(probe.addr - sizeof(endbr));
	return 0;
}

static void __exit entry_exit(void)
{
	unregister_kprobe(&probe);
	while (atomic_read(&late))
		msleep(20);
	/* Whoever was counted last may be preempted on the way out. */
	synchronize_rcu_tasks();
}

module_init(entry_init);
module_exit(entry_exit);
MODULE_DESCRIPTION("who enters a function, for the tests of dimgblk");
MODULE_LICENSE("GPL");
