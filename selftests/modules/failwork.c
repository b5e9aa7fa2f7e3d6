// SPDX-License-Identifier: GPL-2.0
/*
 * Failures under the workers of dimgblk, for kernels that cannot say where an
 * allocation shall fail (failing.h): a random part of the allocations of work items
 * that do I/O of a device, of their own and of all that they call, and a random part of
 * the I/O of some disks. Parameters, to be written at any time:
 *   slab, pages, bios  how many of 10,000 fail
 *   disks              the disks, each as MAJOR << 20 | MINOR
 *   comm               when it is loaded: of threads of that name instead of the workers,
 *                      to see what a file system does of itself
 *   failed_...         how many did; some may be missing, it is no more than that
 * Which ones is drawn from seed and from how many were drawn before.
 */
#include <linux/bio.h>
#include <linux/blkdev.h>
#include <linux/preempt.h>
#include <linux/sched.h>

#include "failing.h"

#define ALL	10000

static unsigned int slab, pages, bios, disks[2];
static unsigned int failed_slab, failed_pages, failed_bios;
static unsigned long seed;
static char *comm = "";
static atomic64_t draws = ATOMIC64_INIT(0);

module_param(slab, uint, 0600);
module_param(pages, uint, 0600);
module_param(bios, uint, 0600);
module_param_array(disks, uint, NULL, 0600);
module_param(seed, ulong, 0600);
module_param(comm, charp, 0400);
module_param(failed_slab, uint, 0400);
module_param(failed_pages, uint, 0400);
module_param(failed_bios, uint, 0400);

/* Is it its turn? Callable from any context, unlike the kernel's own generator. */
static bool draw(const unsigned int *part)
{
	u64 x;

	if (!READ_ONCE(*part))
		return false;
	x = seed + atomic64_inc_return(&draws) * 0x9e3779b97f4a7c15ULL;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
	return (x >> 32) % ALL < READ_ONCE(*part);
}

static void count(unsigned int *failed)
{
	WRITE_ONCE(*failed, READ_ONCE(*failed) + 1);
}

/*
 * Who cleans pages for others says so, as dimgblk_lane_work() does; in our guests no
 * other work item does. Interrupts that come meanwhile are not its doing.
 */
static bool is_worker(void)
{
	/* Of a probe without ftrace: it is a breakpoint, which counts as an NMI. */
	unsigned long own = in_nmi() ? HARDIRQ_OFFSET : 0;

	if (in_serving_softirq() || hardirq_count() != own)
		return false;
	if (*comm)
		return !strncmp(current->comm, comm, sizeof(current->comm));
	return (current->flags & PF_WQ_WORKER) &&
	       (current->flags & PF_LOCAL_THROTTLE);
}

static int failwork_alloc(struct kprobe *p, struct pt_regs *regs)
{
	bool of_pages = failing_is_pages(p);

	if (!is_worker() || !failing_may(p, regs) ||
	    !draw(of_pages ? &pages : &slab) || failing_is_vmalloc(regs))
		return 0;
	count(of_pages ? &failed_pages : &failed_slab);
	return failing_answer(regs, 0);
}

/*
 * should_fail_bio() would be the place, but compilers merge it with its caller. What
 * goes past the end of the disk fails as well, before the driver of the disk sees it.
 */
static int failwork_bio(struct kprobe *p, struct pt_regs *regs)
{
	struct bio *bio = (struct bio *)regs_get_kernel_argument(regs, 0);
	struct gendisk *its = bio->bi_bdev->bd_disk;
	dev_t dev = MKDEV(its->major, its->first_minor);

	if ((dev == READ_ONCE(disks[0]) || dev == READ_ONCE(disks[1])) &&
	    bio_sectors(bio) && draw(&bios)) {
		count(&failed_bios);
		bio->bi_iter.bi_sector = (sector_t)S64_MAX >> SECTOR_SHIFT;
	}
	return 0;
}

static struct kprobe bio_probe = {
	.symbol_name = "submit_bio_noacct",
	.pre_handler = failwork_bio,
};

static int __init failwork_init(void)
{
	int err = register_kprobe(&bio_probe);
	int n;

	if (err)
		return err;
	n = failing_register(failwork_alloc);
	pr_info("failwork: %d functions\n", n);
	if (n >= 8)
		return 0;
	failing_unregister();
	unregister_kprobe(&bio_probe);
	return -ENOENT;
}

static void __exit failwork_exit(void)
{
	failing_unregister();
	unregister_kprobe(&bio_probe);
}

module_init(failwork_init);
module_exit(failwork_exit);
MODULE_DESCRIPTION("failures under the workers, for the tests of dimgblk");
MODULE_LICENSE("GPL");
