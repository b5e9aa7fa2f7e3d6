/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the modules share that make allocations fail on kernels without
 * CONFIG_FAULT_INJECTION, as those of distributions are: probes at the entry of the
 * functions that allocate, which can return NULL at once. As in the kernel's own,
 * allocations that must not fail are left alone; so are pages that are asked for
 * without a warning, as vmalloc does, which then warns itself, with a trace in the
 * log. Each module owns a copy of the table.
 */
#ifndef DIMGBLK_SELFTEST_FAILING_H
#define DIMGBLK_SELFTEST_FAILING_H

#include <linux/gfp.h>
#include <linux/kallsyms.h>
#include <linux/kprobes.h>
#include <linux/module.h>

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
	{ "pcpu_alloc_noprof", 3 },
	{ "pcpu_alloc", 3 },
	{ "__alloc_pages", 0 },
	{ "__alloc_pages_noprof", 0 },
	{ "__alloc_frozen_pages_noprof", 0 },
};

static struct kprobe probes[ARRAY_SIZE(functions)];
static bool registered[ARRAY_SIZE(functions)];

/* Where a probed function goes on instead of its body; keeps the return value. */
static noinline notrace void failing_return(void)
{
	asm volatile("");
}

/* The function that @regs is at the entry of shall return @value; for a handler. */
static inline int failing_answer(struct pt_regs *regs, unsigned long value)
{
	regs_set_return_value(regs, value);
	instruction_pointer_set(regs, (unsigned long)failing_return);
	return 1;
}

/* Of pages the flags come first. */
static inline bool failing_is_pages(const struct kprobe *p)
{
	return !functions[p - probes].gfp;
}

/* May the allocation that @regs is at the entry of fail at all? */
static inline bool failing_may(const struct kprobe *p, struct pt_regs *regs)
{
	gfp_t gfp = regs_get_kernel_argument(regs, functions[p - probes].gfp);

	return !(gfp & __GFP_NOFAIL) &&
	       !(failing_is_pages(p) && (gfp & __GFP_NOWARN));
}

/*
 * Is it the small allocation that vmalloc makes for itself? When it is refused that, too,
 * it warns.  For a handler; slow.
 */
static inline bool failing_is_vmalloc(struct pt_regs *regs)
{
	char caller[KSYM_SYMBOL_LEN];

	sprint_symbol_no_offset(caller, regs_get_kernel_stack_nth(regs, 0));
	return strstr(caller, "vm_area") || strstr(caller, "vmap_area") ||
	       strstr(caller, "vmalloc");
}

/* With it a probe may change where the function goes on. */
static void failing_post(struct kprobe *p, struct pt_regs *regs,
			 unsigned long flags)
{
}

static void failing_unregister(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(functions); i++)
		if (registered[i])
			unregister_kprobe(&probes[i]);
}

/* Return: how many functions are probed. */
static int failing_register(kprobe_pre_handler_t pre)
{
	int i, n = 0;

	for (i = 0; i < ARRAY_SIZE(functions); i++) {
		/* Beside the one above it is another's: lib/debugobjects.c. */
		if (!strcmp(functions[i].name, "pcpu_alloc") && registered[i - 1])
			continue;
		probes[i].symbol_name = functions[i].name;
		probes[i].pre_handler = pre;
		probes[i].post_handler = failing_post;
		registered[i] = !register_kprobe(&probes[i]);
		n += registered[i];
	}
	return n;
}

#endif /* DIMGBLK_SELFTEST_FAILING_H */
