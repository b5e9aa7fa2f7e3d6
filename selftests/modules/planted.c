// SPDX-License-Identifier: GPL-2.0
/*
 * Bugs on purpose, one at each load, to see whether the kernel's detectors are
 * awake: insmod planted.ko plant=NAME. Each must be reported; see vm/detectors.
 */
#include <linux/compiler.h>
#include <linux/kernel.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>

static char *plant = "none";
module_param(plant, charp, 0444);
MODULE_PARM_DESC(plant, "which bug: locks, sleep, shift, use-after-free, leak, race");

static DEFINE_MUTEX(first);
static DEFINE_MUTEX(second);
static DEFINE_SPINLOCK(atomic);

/* Two orders of two locks: harmless here, a deadlock between two tasks. */
static noinline void planted_locks(void)
{
	mutex_lock(&first);
	mutex_lock(&second);
	mutex_unlock(&second);
	mutex_unlock(&first);

	mutex_lock(&second);
	mutex_lock(&first);
	mutex_unlock(&first);
	mutex_unlock(&second);
}

static noinline void planted_sleep(void)
{
	spin_lock(&atomic);
	might_sleep();
	spin_unlock(&atomic);
}

static noinline void planted_shift(void)
{
	unsigned int bits = 40;

	OPTIMIZER_HIDE_VAR(bits);
	pr_info("planted: %d\n", 1 << bits);
}

static noinline void planted_use_after_free(void)
{
	char *mem = kzalloc(64, GFP_KERNEL);
	char *freed = mem;

	if (!mem)
		return;
	OPTIMIZER_HIDE_VAR(freed);
	kfree(mem);
	pr_info("planted: %d\n", READ_ONCE(freed[5]));
}

static noinline void planted_leak(void)
{
	int i, lost = 0;

	/*
	 * One of them might be found in a register or an old stack frame, and the
	 * last sixty in what the allocator keeps for each CPU.
	 */
	for (i = 0; i < 500; i++)
		lost += !!kmalloc(64, GFP_KERNEL);
	pr_info("planted: %d\n", lost);
}

static int raced;

static int planted_racer(void *unused)
{
	while (!kthread_should_stop()) {
		raced++;
		/* the compiler may not add it up in a register, with one access at the end */
		barrier();
		cond_resched();
	}
	return 0;
}

/* Two tasks add to one number at the same time. */
static noinline void planted_race(void)
{
	struct task_struct *racer = kthread_run(planted_racer, NULL, "planted");
	unsigned long end = jiffies + 10 * HZ;

	if (IS_ERR(racer))
		return;
	while (time_before(jiffies, end)) {
		raced++;
		barrier();	/* as there */
		cond_resched();
	}
	kthread_stop(racer);
	pr_info("planted: %d\n", raced);
}

static const struct {
	const char *name;
	void (*run)(void);
} plants[] = {
	{ "locks", planted_locks },
	{ "sleep", planted_sleep },
	{ "shift", planted_shift },
	{ "use-after-free", planted_use_after_free },
	{ "leak", planted_leak },
	{ "race", planted_race },
};

static int __init planted_init(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(plants); i++) {
		if (!strcmp(plants[i].name, plant)) {
			plants[i].run();
			return 0;
		}
	}
	return -EINVAL;
}

static void __exit planted_exit(void)
{
}

module_init(planted_init);
module_exit(planted_exit);
MODULE_DESCRIPTION("bugs on purpose, to see whether detectors are awake");
MODULE_LICENSE("GPL");
