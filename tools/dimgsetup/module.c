// SPDX-License-Identifier: GPL-2.0
/*
 * module.c - owns the way to a loaded driver: connect, and where the family is
 * absent load the module through libkmod, or say how to get it.
 *
 * libkmod instead of running modprobe: its error tells a missing module from
 * one that the kernel rejects.
 */
#include <errno.h>
#include <libkmod.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "dimgsetup.h"

#define MODULE_NAME	"dimgblk"

/* Load the module with its options from modprobe.d; 0 or -errno. */
static int load_module(void)
{
	struct kmod_list *found = NULL;
	struct kmod_module *mod;
	struct kmod_ctx *ctx;
	int ret;

	ctx = kmod_new(NULL, NULL);
	if (!ctx)
		return -ENOMEM;
	ret = kmod_module_new_from_lookup(ctx, MODULE_NAME, &found);
	if (!ret && !found)
		ret = -ENOENT;
	if (ret < 0)
		goto out;
	mod = kmod_module_get_module(found);
	ret = kmod_module_probe_insert_module(mod, KMOD_PROBE_APPLY_BLACKLIST,
					      NULL, NULL, NULL, NULL);
	kmod_module_unref(mod);
	kmod_module_unref_list(found);
out:
	kmod_unref(ctx);
	/* positive: the reason why modprobe.d forbids it */
	return ret > 0 ? -ECANCELED : ret;
}

/* Say why the module cannot be loaded, and what to do. */
static int fail_module(int err)
{
	struct utsname uts;

	uname(&uts);
	switch (err) {
	case ENOENT:
		dimg_say(NULL, "the module %s is not installed for the running kernel %s\n"
			 "In the dimgblk source: \"make && make install\" (needs the headers of this kernel), then \"modprobe %s\".",
			 MODULE_NAME, uts.release, MODULE_NAME);
		break;
	case EPERM:
	case EACCES:
		dimg_say(NULL, "the module %s is not loaded and may not be loaded by this user\n"
			 "As root: \"modprobe %s\". With secure boot or lockdown the module must be signed with a key that the machine trusts.",
			 MODULE_NAME, MODULE_NAME);
		break;
	case ECANCELED:
		dimg_say(NULL, "the module %s is blacklisted\n"
			 "Remove it from /etc/modprobe.d, or load it by hand: \"modprobe %s\".",
			 MODULE_NAME, MODULE_NAME);
		break;
	default:
		dimg_say(NULL, "the module %s does not load into kernel %s: %s\n"
			 "\"dmesg\" says why. Built for another kernel? Then build it anew: \"make clean && make && make install\".",
			 MODULE_NAME, uts.release, strerror(err));
	}
	return DIMG_EXIT_NO_MODULE;
}

/*
 * Is the module at work, although no family is to be seen? While it comes or
 * goes, which is no reason to complain, its state is another word.
 */
static bool is_live(void)
{
	char state[16] = "";
	FILE *f = fopen("/sys/module/" MODULE_NAME "/initstate", "re");

	if (!f)
		return false;
	if (!fgets(state, sizeof(state), f))
		*state = '\0';
	fclose(f);
	return !strncmp(state, "live", 4);
}

/* The family is in the initial network namespace only, as disks belong to none. */
static int fail_namespace(void)
{
	dimg_say(NULL, "the module %s is loaded, but its interface is not to be seen from this network namespace\n"
		 "Run it outside of the container or \"ip netns exec\", or as root: \"nsenter -t 1 -n dimgsetup ...\".",
		 MODULE_NAME);
	return DIMG_EXIT_PERMISSION;
}

/**
 * dimg_connect - connect to the driver, loading its module if need be
 * @nlp: set on success; give it to dimg_nl_close()
 *
 * Return: 0, or an exit code after the reason has been printed.
 */
int dimg_connect(struct dimg_nl **nlp)
{
	struct dimg_error e;
	int ret, err;

	ret = dimg_nl_open(nlp, &e);
	if (ret != -ENOENT)
		return ret ? dimg_fail(NULL, &e) : 0;
	dimg_note(NULL, "loading the module %s", MODULE_NAME);
	err = load_module();
	ret = dimg_nl_open(nlp, &e);
	if (ret != -ENOENT)
		return ret ? dimg_fail(NULL, &e) : 0;
	/* a container may see neither the family nor the file of the module */
	if (is_live())
		return fail_namespace();
	return fail_module(err ? -err : ENOEXEC);
}
