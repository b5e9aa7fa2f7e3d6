/* SPDX-License-Identifier: GPL-2.0 */
/*
 * losetup.h - what the two files of dimg-losetup hand to each other: losetup.c
 * reads the command line, losetup-act.c does what it says.
 */
#ifndef DIMG_LOSETUP_H
#define DIMG_LOSETUP_H

#include "dimgsetup.h"

/**
 * struct dimg_losetup - what the command line asks for
 * @act: option letter of the one action: a d D f c j, R (--remove); 0 if none
 * @arg: argument of @act: a device or, of -j, a file
 * @rest: words that are no options
 * @setup: an option was given that makes sense for a new device only
 * @dio: --direct-io was given; @offset, @block_size: likewise
 */
struct dimg_losetup {
	struct dimg_attach a;
	struct dimg_table t;
	int act;
	const char *arg;
	int n_rest;
	char **rest;
	bool list;
	bool show;
	bool nooverlap;
	bool setup;
	bool dio;
	bool offset;
	bool block_size;
};

int dimg_losetup_create(struct dimg_losetup *job);
int dimg_losetup_act(struct dimg_losetup *job);

#endif /* DIMG_LOSETUP_H */
