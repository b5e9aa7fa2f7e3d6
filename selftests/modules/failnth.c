// SPDX-License-Identifier: GPL-2.0
/*
 * /proc/self/fail-nth for kernels without CONFIG_FAULT_INJECTION (failing.h).
 * /proc/dimgblk-fail-nth: write N and the N-th allocation of this task fails, read
 * what is left, 0 when it has failed; for one task at a time. What may not fail is
 * not counted either.
 * With calls=1, on any kernel, only the first allocation counts of each call that the
 * driver makes: nine for an attach in place of some hundreds, which take each way out
 * of the driver at least once.
 */
#include <linux/preempt.h>
#include <linux/proc_fs.h>
#include <linux/sched.h>
#include <linux/stacktrace.h>
#include <linux/uaccess.h>

#include "failing.h"

static struct task_struct *victim;
static unsigned int left;
static struct proc_dir_entry *entry;
static unsigned long last_call;

static bool calls;
module_param(calls, bool, 0400);
MODULE_PARM_DESC(calls, "only the first allocation of each call by the driver counts");

/*
 * Is it one that the caller can do without, as it asks for no warning? That tells nothing, and
 * the kernel's own debugging, which has such, would be switched off.
 */
static bool failnth_is_optional(struct kprobe *p, struct pt_regs *regs)
{
	return regs_get_kernel_argument(regs, functions[p - probes].gfp) &
	       __GFP_NOWARN;
}

/* Where the driver goes on after the call that is under way; 0: it made none. */
static unsigned long failnth_call(void)
{
	char symbol[KSYM_SYMBOL_LEN];
	unsigned long stack[32];
	unsigned int i, n = stack_trace_save(stack, ARRAY_SIZE(stack), 0);

	for (i = 0; i < n; i++) {
		sprint_symbol(symbol, stack[i]);
		if (strstr(symbol, "[dimgblk]"))
			return stack[i];
	}
	return 0;
}

static int failnth_pre(struct kprobe *p, struct pt_regs *regs)
{
	if (READ_ONCE(victim) != current || !left || in_serving_softirq())
		return 0;
	if (!failing_may(p, regs))
		return 0;
	if (calls) {
		unsigned long call;

		if (failnth_is_optional(p, regs))
			return 0;
		call = failnth_call();
		if (!call || call == last_call)
			return 0;
		last_call = call;
	}
	if (--left)
		return 0;
	return failing_answer(regs, 0);
}

static ssize_t failnth_read(struct file *file, char __user *to, size_t size,
			    loff_t *pos)
{
	char text[16];
	int len = scnprintf(text, sizeof(text), "%u\n", left);

	return simple_read_from_buffer(to, size, pos, text, len);
}

static ssize_t failnth_write(struct file *file, const char __user *from,
			     size_t size, loff_t *pos)
{
	unsigned int n;
	int err = kstrtouint_from_user(from, size, 0, &n);

	if (err)
		return err;
	WRITE_ONCE(victim, NULL);
	left = n;
	last_call = 0;
	if (n)
		WRITE_ONCE(victim, current);
	return size;
}

static int failnth_release(struct inode *inode, struct file *file)
{
	WRITE_ONCE(victim, NULL);
	return 0;
}

static const struct proc_ops failnth_ops = {
	.proc_read = failnth_read,
	.proc_write = failnth_write,
	.proc_lseek = default_llseek,
	.proc_release = failnth_release,
};

static int __init failnth_init(void)
{
	int n = failing_register(failnth_pre);

	pr_info("failnth: %d functions\n", n);
	entry = proc_create("dimgblk-fail-nth", 0600, NULL, &failnth_ops);
	if (entry && n >= 8)
		return 0;
	proc_remove(entry);
	failing_unregister();
	return -ENOENT;
}

static void __exit failnth_exit(void)
{
	proc_remove(entry);
	failing_unregister();
}

module_init(failnth_init);
module_exit(failnth_exit);
MODULE_DESCRIPTION("failing allocations for the tests of dimgblk");
MODULE_LICENSE("GPL");
