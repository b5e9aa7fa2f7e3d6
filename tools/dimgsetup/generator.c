// SPDX-License-Identifier: GPL-2.0
/*
 * generator.c - dimgsetup-generator, which systemd calls early at boot and at
 * each reload: turns the lines of /etc/dimgtab into services.
 *
 * Owns the order of boot and shutdown. At boot: after the mount that holds the
 * image, before local-fs.target. At shutdown the service stops, and detaches,
 * before the mount that holds the image; what is mounted from the device is told
 * to stop at the same time, and ExecStop= waits for it. That needs no knowledge
 * of what lies on the image, which nobody has before it is attached.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "dimgtab.h"
#include "unitname.h"

#ifndef DIMG_SBINDIR
#define DIMG_SBINDIR		"/usr/sbin"
#endif

/* An image on a server that hangs; without a limit, so would the boot. */
#define START_LIMIT_S		90
/* Patience of ExecStop=; systemd's own, to stop a mount, is 90 s. */
#define STOP_WAIT_S		60
/* Partitions whose nodes bring the service along when they are mounted. */
#define PARTITIONS		16
#define BY_NAME			"/dev/disk/by-dimg-name/"
#define TARGET			"dimgsetup.target"

/**
 * struct unit - the service of an entry
 * @dir: where units are written to
 * @service: its name, dimgsetup@NAME.service with NAME escaped
 * @node: /dev/disk/by-dimg-name/NAME, escaped
 */
struct unit {
	const char *dir;
	const struct dimg_tab_entry *e;
	char *service;
	char *node;
};

/* What can go wrong here is the file system or the memory: told, not repaired. */
static int fail(const char *what, int err)
{
	struct dimg_error e;

	dimg_error_set(&e, err, "cannot be made");
	return dimg_fail(what, &e);
}

/* Let @unit come with @target: "requires" or "wants". */
static int link_unit(const struct unit *u, const char *target, const char *how)
{
	char *dir, *path = NULL, *to = NULL;
	int ret = 0;

	if (asprintf(&dir, "%s/%s.%s", u->dir, target, how) < 0)
		return fail(u->service, ENOMEM);
	if (asprintf(&path, "%s/%s", dir, u->service) < 0 ||
	    asprintf(&to, "../%s", u->service) < 0)
		ret = fail(u->service, ENOMEM);
	else if ((mkdir(dir, 0755) && errno != EEXIST) ||
		 (symlink(to, path) && errno != EEXIST))
		ret = fail(path, errno);
	free(to);
	free(path);
	free(dir);
	return ret;
}

/* Does systemd have a unit for it? A file system that lies in /dev has files. */
static bool is_device(const char *path)
{
	return !strncmp(path, "/dev/", 5) && strncmp(path, "/dev/shm/", 9);
}

/* An image that is a block device has to be there; a file needs its mounts. */
static void put_image(FILE *f, const char *path)
{
	char *device, *slash, *dir;

	if (is_device(path)) {
		device = dimg_unit_from_path(path, ".device");
		if (device)
			fprintf(f, "BindsTo=%s\nAfter=%s\n", device, device);
		free(device);
		return;
	}
	dir = strdup(path);
	slash = dir ? strrchr(dir, '/') : NULL;
	if (slash) {
		/* of "/a" the directory is "/" */
		slash[slash == dir] = '\0';
		fputs("RequiresMountsFor=", f);
		dimg_unit_quote(dir, f);
		fputc('\n', f);
	}
	free(dir);
}

/* x-systemd.WORD=VALUE: the unit's own words. */
static void put_systemd(FILE *f, const struct dimg_tab_entry *e)
{
	size_t i;

	for (i = 0; i + 1 < e->n_systemd; i += 2) {
		const char *word = e->systemd[i], *value = e->systemd[i + 1];

		if (!strcmp(word, "requires-mounts-for")) {
			fputs("RequiresMountsFor=", f);
			dimg_unit_quote(value, f);
			fputc('\n', f);
		} else if (!strcmp(word, "requires")) {
			fprintf(f, "Requires=%s\nAfter=%s\n", value, value);
		} else {
			fprintf(f, "%s=%s\n",
				strcmp(word, "after") ? "Before" : "After",
				value);
		}
	}
}

/* What waits for the device; nobody waits for one that may fail. */
static const char *target_of(const struct dimg_tab_entry *e)
{
	return e->netdev ? "remote-fs.target" : TARGET;
}

static void put_unit(FILE *f, const struct unit *u, const char *file)
{
	const struct dimg_tab_entry *e = u->e;

	fputs("# Made by dimgsetup-generator; change the table and reload systemd.\n"
	      "[Unit]\nDescription=Disk Image ", f);
	dimg_unit_text(e->name, f);
	fputs("\nDocumentation=man:dimgtab(5) man:dimgsetup(8)\nSourcePath=", f);
	dimg_unit_text(file, f);
	fputs("\nDefaultDependencies=no\nIgnoreOnIsolate=yes\n"
	      "Wants=systemd-udevd.service\n"
	      "After=systemd-remount-fs.service systemd-modules-load.service systemd-udevd.service\n",
	      f);
	put_image(f, e->attach.path);
	put_systemd(f, e);
	fprintf(f, "Wants=blockdev@%s.target\n"
		"Before=blockdev@%s.target\n", u->node, u->node);
	if (!e->noauto && !e->nofail)
		fprintf(f, "Before=%s\n", target_of(e));
	fputs("Conflicts=umount.target\nBefore=umount.target\n\n"
	      "[Service]\nType=oneshot\nRemainAfterExit=yes\n", f);
	fprintf(f, "TimeoutStartSec=%d\nTimeoutStopSec=%d\n", START_LIMIT_S,
		STOP_WAIT_S + 30);
	fputs("ExecStart=" DIMG_SBINDIR "/dimgsetup apply -- ", f);
	dimg_unit_text(e->name, f);
	fprintf(f, "\nExecStop=" DIMG_SBINDIR
		"/dimgsetup apply --detach --wait %d --lazy -- ", STOP_WAIT_S);
	dimg_unit_text(e->name, f);
	fputc('\n', f);
}

static int write_unit(const struct unit *u, const char *file)
{
	char *path;
	FILE *f;
	int ret = 0;

	if (asprintf(&path, "%s/%s", u->dir, u->service) < 0)
		return fail(u->service, ENOMEM);
	f = fopen(path, "wxe");
	if (!f) {
		ret = fail(path, errno);
	} else {
		put_unit(f, u, file);
		ret = ferror(f);
		if (fclose(f) || ret)
			ret = fail(path, errno);
	}
	free(path);
	return ret;
}

/* As link_unit(), for the device unit of the disk (0) or of partition @nr. */
static int link_node(const struct unit *u, unsigned int nr)
{
	char part[32] = "", *device;
	int ret;

	if (nr)
		snprintf(part, sizeof(part), "\\x2dpart%u", nr);
	if (asprintf(&device, "%s%s.device", u->node, part) < 0)
		return fail(u->service, ENOMEM);
	ret = link_unit(u, device, "requires");
	free(device);
	return ret;
}

/*
 * Who mounts the node by name needs the service: it starts with the mount, also
 * if it is marked noauto, and if it fails the mount fails at once instead of
 * waiting for the node.
 */
static int link_all(const struct unit *u)
{
	bool partscan = u->e->attach.req.flags & DIMGBLK_FLAG_PARTITION_SCAN;
	unsigned int nr;
	int ret = 0;

	for (nr = 0; !ret && nr <= (partscan ? PARTITIONS : 0); nr++)
		ret = link_node(u, nr);
	if (ret || u->e->noauto)
		return ret;
	return link_unit(u, target_of(u->e),
			 u->e->nofail ? "wants" : "requires");
}

static int generate(const char *dir, const char *file,
		    const struct dimg_tab_entry *e)
{
	struct unit u = { .dir = dir, .e = e };
	char *node, *name = dimg_unit_escape(e->name);
	int ret = -1;

	if (asprintf(&node, BY_NAME "%s", e->name) < 0)
		node = NULL;
	u.node = node ? dimg_unit_from_path(node, "") : NULL;
	if (name && asprintf(&u.service, "dimgsetup@%s.service", name) < 0)
		u.service = NULL;
	if (u.node && u.service)
		ret = write_unit(&u, file);
	else
		ret = fail(e->name, ENOMEM);
	if (!ret)
		ret = link_all(&u);
	free(u.service);
	free(u.node);
	free(node);
	free(name);
	return ret;
}

/* dimgsetup.target comes with local-fs.target if a device of it must be there. */
static int link_target(const char *dir, const struct dimg_tab *tab)
{
	struct unit u = { .dir = dir, .service = strdup(TARGET) };
	bool wants = false, requires = false;
	size_t i;
	int ret = 0;

	for (i = 0; i < tab->n; i++) {
		const struct dimg_tab_entry *e = &tab->v[i];

		if (e->bad || e->noauto || e->netdev)
			continue;
		wants = true;
		requires |= !e->nofail;
	}
	if (wants && u.service)
		ret = link_unit(&u, "local-fs.target",
				requires ? "requires" : "wants");
	free(u.service);
	return ret;
}

/* At boot and reload stderr is nothing, and there may be no journal yet. */
static void tell_kernel_log(void)
{
	struct stat st;

	if (fstat(STDERR_FILENO, &st) || !S_ISCHR(st.st_mode) ||
	    st.st_rdev != makedev(1, 3) || !freopen("/dev/kmsg", "we", stderr))
		return;
	/* what is written at once is a message, and may begin with a level */
	setvbuf(stderr, NULL, _IOLBF, BUFSIZ);
	dimg_program = "<3>dimgsetup-generator";
}

/**
 * dimg_generator - run as dimgsetup-generator
 *
 * DIMGTAB in the environment names another table, for tests. Lines that are
 * wrong are told (see tell_kernel_log()) and left out: the others still work.
 *
 * Return: an exit code; systemd logs that it failed, and goes on.
 */
int dimg_generator(int argc, char **argv)
{
	const char *file = getenv("DIMGTAB");
	struct dimg_tab tab;
	size_t i;
	int ret, one;

	dimg_command = "generator";
	if (argc != 4 && argc != 2) {
		dimg_say(NULL, "systemd calls this with three directories; it is not for people\n"
			 "To attach the devices of the table: \"dimgsetup apply\".");
		return DIMG_EXIT_USAGE;
	}
	if (!file)
		file = DIMG_TAB_FILE;
	tell_kernel_log();
	/* most machines have no table: nothing to do, nothing to say */
	if (access(file, F_OK) && errno == ENOENT)
		return DIMG_EXIT_OK;
	ret = dimg_tab_load(file, true, &tab);
	if (!ret && tab.n_bad)
		ret = DIMG_EXIT_USAGE;
	for (i = 0; i < tab.n; i++) {
		one = tab.v[i].bad ? 0 : generate(argv[1], file, &tab.v[i]);
		ret = ret ? ret : one;
	}
	one = link_target(argv[1], &tab);
	dimg_tab_free(&tab);
	return ret ? ret : one;
}
