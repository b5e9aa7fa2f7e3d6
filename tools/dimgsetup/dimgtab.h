/* SPDX-License-Identifier: GPL-2.0 */
/*
 * dimgtab.h - the table /etc/dimgtab, for those who read it: apply.c and
 * generator.c.
 */
#ifndef DIMG_DIMGTAB_H
#define DIMG_DIMGTAB_H

#include "dimgsetup.h"

/* dimgtab.c, tabcheck.c */
#define DIMG_TAB_FILE		"/etc/dimgtab"

/**
 * struct dimg_tab - a table of devices, as /etc/dimgtab
 * @n_bad: entries with an error; the errors have been printed
 * @by_path: images are told from each other by their paths, none is looked at
 */
struct dimg_tab {
	const char *file;
	size_t n;
	size_t n_bad;
	bool by_path;
	/**
	 * struct dimg_tab_entry - one device
	 * @bad: not to be attached
	 * @noauto: only when it is asked for by name
	 * @nofail: a failure is told, but does not count
	 * @netdev: the image lies on the network
	 * @attach: image and options
	 * @systemd: pairs of a word and its value, for units
	 * @n_systemd: strings in @systemd
	 * @text: the line, to which all the others point
	 */
	struct dimg_tab_entry {
		unsigned int line;
		const char *name;
		bool bad;
		bool noauto;
		bool nofail;
		bool netdev;
		struct dimg_attach attach;
		const char **systemd;
		size_t n_systemd;
		char *text;
	} *v;
};

int dimg_tab_load(const char *file, bool by_path, struct dimg_tab *tab);
void dimg_tab_where(const struct dimg_tab *tab, const struct dimg_tab_entry *e);
void dimg_tab_check(struct dimg_tab *tab);
void dimg_tab_free(struct dimg_tab *tab);

/* tabdiff.c */
bool dimg_tab_is_image(const struct dimg_tab_entry *e,
		       const struct dimg_device *dev);
int dimg_tab_diff(const struct dimg_tab_entry *e, const struct dimg_device *dev);

/* generator.c: what systemd calls at boot */
int dimg_generator(int argc, char **argv);

#endif /* DIMG_DIMGTAB_H */
