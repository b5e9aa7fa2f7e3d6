// SPDX-License-Identifier: GPL-2.0
/*
 * /proc/self/fail-nth for kernels without CONFIG_FAULT_INJECTION, as those of
 * distributions are: probes at the entry of the functions that allocate, which
 * return NULL at once when the count of the task that wrote it has come to 0.
 * /proc/dimgblk-fail-nth: write N and the N-th allocation of this task fails, read
 * what is left, 0 when it has failed; for one task at a time. As in the kernel's
 * own, allocations that must not fail are neither counted nor failed; nor are pages
 * that are asked for without a warning, as vmalloc does, which then warns itself,
 * with a trace in the log.
 */
#include <linux/gfp.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/preempt.h>
#include <linux/proc_fs.h>
#include <linux/sched.h>
#include <linux/uaccess.h>

static struct task_struct *victim;
static unsigned int left;
static struct proc_dir_entry *entry;

/* Behind the size there is the bucket, in kernels that have buckets. */
#define GFP_AFTER_SIZE	(IS_ENABLED(CONFIG_SLAB_BUCKETS) ? 2 : 1)

/* What one kernel or another calls them, and which argument has the gfp flags. */
static const struct {
	const char *name;
	unsigned int gfp;
} functions[] = {
	{ "kmem_cache_alloc", 1 },
	{ "kmem_cache_alloc_noprof", 1 },
	{ "kmem_cache_alloc_lru", 2 },
	{ "kmem_cache_alloc_lru_noprof", 2 },
	{ "kmem_cache_alloc_node", 1 },
	{ "kmem_cache_alloc_node_noprof", 1 },
	{ "kmem_cache_alloc_bulk", 1 },
	{ "kmem_cache_alloc_bulk_noprof", 1 },
	{ "kmalloc_trace", 1 },
	{ "kmalloc_node_trace", 1 },
	{ "__kmalloc_cache_noprof", 1 },
	{ "__kmalloc_cache_node_noprof", 1 },
	{ "__kmalloc", 1 },
	{ "__kmalloc_noprof", 1 },
	{ "__kmalloc_node", 1 },
	{ "__kmalloc_node_noprof", GFP_AFTER_SIZE },
	{ "__kmalloc_node_track_caller", 1 },
	{ "__kmalloc_node_track_caller_noprof", GFP_AFTER_SIZE },
	{ "kmalloc_large", 1 },
	{ "kmalloc_large_node", 1 },
	{ "__kmalloc_large_noprof", 1 },
	{ "__kmalloc_large_node_noprof", 1 },
	{ "pcpu_alloc", 3 },
	{ "pcpu_alloc_noprof", 3 },
	{ "__alloc_pages", 0 },
	{ "__alloc_pages_noprof", 0 },
	{ "__alloc_frozen_pages_noprof", 0 },
};

static struct kprobe probes[ARRAY_SIZE(functions)];
static bool registered[ARRAY_SIZE(functions)];

/* Where a probed function goes on instead of its body; keeps the return value. */
static noinline notrace void failnth_return(void)
{
	asm volatile("");
}

static int failnth_pre(struct kprobe *p, struct pt_regs *regs)
{
	gfp_t gfp;

	if (READ_ONCE(victim) != current || !left || in_serving_softirq())
		return 0;
	gfp = regs_get_kernel_argument(regs, functions[p - probes].gfp);
	if (gfp & __GFP_NOFAIL)
		return 0;
	if (!functions[p - probes].gfp && (gfp & __GFP_NOWARN))
		return 0;
	if (--left)
		return 0;
	regs_set_return_value(regs, 0);
	instruction_pointer_set(regs, (unsigned long)failnth_return);
	return 1;
}

/* With it a probe may change where the function goes on. */
static void failnth_post(struct kprobe *p, struct pt_regs *regs,
			 unsigned long flags)
{
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

static void failnth_remove_probes(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(functions); i++)
		if (registered[i])
			unregister_kprobe(&probes[i]);
}

static int __init failnth_init(void)
{
	int i, n = 0;

	for (i = 0; i < ARRAY_SIZE(functions); i++) {
		probes[i].symbol_name = functions[i].name;
		probes[i].pre_handler = failnth_pre;
		probes[i].post_handler = failnth_post;
		registered[i] = !register_kprobe(&probes[i]);
		n += registered[i];
	}
	pr_info("failnth: %d functions\n", n);
	entry = proc_create("dimgblk-fail-nth", 0600, NULL, &failnth_ops);
	if (entry && n >= 8)
		return 0;
	proc_remove(entry);
	failnth_remove_probes();
	return -ENOENT;
}

static void __exit failnth_exit(void)
{
	proc_remove(entry);
	failnth_remove_probes();
}

module_init(failnth_init);
module_exit(failnth_exit);
MODULE_DESCRIPTION("failing allocations for the tests of dimgblk");
MODULE_LICENSE("GPL");
