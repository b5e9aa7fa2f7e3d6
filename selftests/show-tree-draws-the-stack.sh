#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# requires-disk: 256M
# Claim: show --tree draws disk > file system > image > device > partition > file
# system, with device mapper in between and images on mounted images, as text and
# as nested JSON (features.md pain 29).
# Broken: nobody can tell which disk fills up when a file is written here.
. "$(dirname "$0")/lib/dimgblk.sh"
. "$SELFTESTS/lib/mapped.sh"

requires_command jq sfdisk
scratch_fs ext4
truncate -s 64M mnt/outer.img
sfdisk -q mnt/outer.img <<<$'label: gpt\nsize=30M\nsize=20M\n' >/dev/null
attach -P --name outer mnt/outer.img
outer=$DEV
udevadm settle
map_disk "${outer}p1"
make_fs ext4 "$MAPPED"
mount_at "$MAPPED" "$TMP/above"
truncate -s 8M above/inner.img
attach -r --offset 1M above/inner.img
inner=$DEV

# path KEY-OF-LEAF: names and types from the root of the tree to a leaf.
path()
{
	dimgsetup show --tree --json ${2:+"$2"} | jq -r --arg leaf "$1" '
		def walk_to: if .name == $leaf then [.] else
			((.children // [])[] | walk_to) as $p | [.] + $p end;
		[.dimgtree[] | walk_to][0] | map("\(.type):\(.name)") | join(" ")'
}

text=$(dimgsetup show --tree)
note_text "$text"
want="disk:$DISK ext4:$TMP/mnt image:$TMP/mnt/outer.img disk:$outer part:${outer}p1 dm:$MAPPED ext4:$TMP/above image:$TMP/above/inner.img disk:$inner"
check_equal "all the way up" "$want" "$(path "$inner")"
check_equal "the other partition" "part:${outer}p2" "$(path "${outer}p2" | grep -o '[^ ]*$')"
check_equal "one device of it: the same below" "$want" "$(path "$inner" "$inner")"
check_equal "by name: what is above" \
	"ext4:$TMP/above" "$(path "$TMP/above" outer | grep -o '[^ ]*$')"
check_equal "each thing once" "" \
	"$(awk 'NR > 1 { print $1 }' <<<"$text" | sed 's/^[^/]*//' | sort | uniq -d)"
check_match "text has the same" "$inner +disk +7M +offset 1048576, read-only" "$text"
check_equal "sizes are numbers" '[67108864,67108864]' "$(dimgsetup show -tJ outer | jq -c '
	[.. | objects | select(.type == "image" and (.name | endswith("outer.img")) or
		.name == "'"$outer"'") | .size]')"
rm above/inner.img
check_match "a deleted image has no disk below" "^/.*inner.img \(deleted\) +image .*deleted" \
	"$(dimgsetup show --tree "$inner" | sed 's/\\x20/ /g')"
refused 1 "go with --tree" dimgsetup show --json outer
detach "$inner"
umount above
unmap_disk
detach "$outer"
check_equal "nothing attached" '{"dimgtree":[]}' "$(dimgsetup show -tJ | jq -c .)"
