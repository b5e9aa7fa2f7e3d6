// SPDX-License-Identifier: GPL-2.0
/*
 * Opens a file inside the kernel until it is unloaded, as a target of the kernel does
 * with a disk: no process has it. Parameters, set when it is loaded:
 *   path     of the file
 *   write    open a disk for reading only, and write to its first page all the same: the
 *            block layer leaves it to the driver to refuse that
 * and to be read:
 *   answer   errno of that write, 0 if it was done
 */
#include <linux/bio.h>
#include <linux/blkdev.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/module.h>

static char *path = "";
static bool write;
static int answer;
static struct file *held;

module_param(path, charp, 0400);
module_param(write, bool, 0400);
module_param(answer, int, 0400);

static void hold_write(struct page *page)
{
	struct bio_vec bv;
	struct bio bio;

	bio_init(&bio, I_BDEV(held->f_mapping->host), &bv, 1,
		 REQ_OP_WRITE | REQ_SYNC);
	__bio_add_page(&bio, page, PAGE_SIZE, 0);
	answer = -submit_bio_wait(&bio);
	bio_uninit(&bio);
}

static int __init hold_init(void)
{
	struct page *page = alloc_page(GFP_KERNEL | __GFP_ZERO);
	int err = 0;

	if (!page)
		return -ENOMEM;
	held = filp_open(path, (write ? O_RDONLY : O_RDWR) | O_LARGEFILE, 0);
	if (IS_ERR(held))
		err = PTR_ERR(held);
	else if (write)
		hold_write(page);
	__free_page(page);
	return err;
}

static void __exit hold_exit(void)
{
	filp_close(held, NULL);
}

module_init(hold_init);
module_exit(hold_exit);
MODULE_DESCRIPTION("a user in the kernel, for the tests of dimgblk");
MODULE_LICENSE("GPL");
