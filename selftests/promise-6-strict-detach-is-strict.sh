#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# requires-disk: 512M
# requires-disk: 64M
# Claim: detach without an option refuses a device in use and names every holder:
# mounts (also in other mount namespaces), swap, device mapper, processes; the
# device works on. When it returns 0 the image is synced and released.
# Broken: a detach that is deferred in silence, or a bare "device busy".
. "$(dirname "$0")/lib/dimgblk.sh"
. "$SELFTESTS/lib/mapped.sh"

scratch_fs ext4
truncate -s 64M "$MNT/disk.img"
attach "$MNT/disk.img"
make_fs ext4 "$DEV"
mkdir upper "$TMP/hidden"

mount "$DEV" upper
defer release_mount "$TMP/upper"
refused 3 "$TMP/upper" dimgsetup detach "$DEV"
check "still attached and writable" touch upper/file
umount upper

# In another mount namespace only.
unshare -m --propagation private sh -c "mount $DEV $TMP/hidden && echo ok >ready && exec sleep 100" &
pid=$!
defer stop $pid
wait_for 10 test -s ready || die "no other mount namespace"
refused 3 "$TMP/hidden" dimgsetup detach "$DEV"
check_match "with a process in it" "$pid" "$(dimgsetup detach "$DEV" 2>&1 || true)"
stop $pid

mkswap "$DEV" >/dev/null 2>&1
swapon "$DEV"
defer sh -c "! grep -q $DEV /proc/swaps || swapoff $DEV"
refused 3 swap dimgsetup detach "$DEV"
swapoff "$DEV"

map_disk "$DEV"
refused 3 "dm-[0-9]+|${MAPPED##*/}" dimgsetup detach "$DEV"
unmap_disk

sleep 100 7<>"$DEV" &
pid=$!
defer stop $pid
refused 3 "$pid.*sleep|sleep.*$pid" dimgsetup detach "$DEV"
kernel_refuses EBUSY nl-send detach index="$(index_of "$DEV")"
stop $pid

check "write without flush" blkop "$DEV" write:0:4M:5
check "free, so detach succeeds" detach "$DEV"
check "gone" is_gone "$DEV"
blkop -r "$MNT" goingdown
check "the file system below can be unmounted at once" umount "$MNT"
mount "$DISK" "$MNT"
check "and the image was synced" blkop "$MNT/disk.img" read:0:4M:5
