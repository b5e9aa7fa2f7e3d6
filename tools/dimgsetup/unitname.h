/* SPDX-License-Identifier: GPL-2.0 */
/*
 * unitname.h - text for systemd: names of units and values in their files.
 */
#ifndef DIMG_UNITNAME_H
#define DIMG_UNITNAME_H

#include <stdio.h>

char *dimg_unit_escape(const char *s);
char *dimg_unit_from_path(const char *path, const char *suffix);
void dimg_unit_text(const char *s, FILE *f);
void dimg_unit_quote(const char *s, FILE *f);

#endif /* DIMG_UNITNAME_H */
