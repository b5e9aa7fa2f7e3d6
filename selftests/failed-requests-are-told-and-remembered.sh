#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Claim: what the file system below answers reaches the caller as the errno it is,
# one line of the log, and the record that show and list print: number, first and
# last failure. A transfer that is cut short is completed or fails. What is no
# failure is not counted, and a new attach begins at 0.
# Broken: ENOSPC told as EIO, an fsync() that succeeds although the one below did
# not, a short write acknowledged, an administrator who has only the log.
. "$(dirname "$0")/lib/dimgblk.sh"
. "$SELFTESTS/lib/liar.sh"

# fails ERRNO-TOLD ERRNO-BELOW ANSWER BLKOP-ARGUMENT: as it is, once, in all places.
fails()
{
	failures=$((failures + 1))
	dmesg_mark
	answers "$3"
	fails_with "$1" blkop -d "$DEV" "$4"
	truth_only
	check_match "counted once, kept" "^$failures .*: $2 " \
		"$(dimgsetup list -n -o ERRORS,LAST-ERROR "$DEV" | sed 's/^ *//')"
	check_equal "one line in the log" 1 "$(dmesg_since_mark | grep -c "${DEV#/dev/}" || true)"
}

liar_mount -d 8M
attach_lies
check_fails "a new device tells of no failure" sh -c "dimgsetup show $DEV | grep ' error:'"
failures=0
fails ENOSPC ENOSPC "write ENOSPC" write:1M:64K:1
fails EIO EINTR "write EINTR" write:1M:64K:1
fails ENOSPC ENOSPC "write ENOSPC 3158016" write:3M:64K:1
# md (7.3) calls a write done that was the caller's fault.
fails EIO EINVAL "write EINVAL" write:1M:64K:1
# Of a flush that "is not supported" fsync() says nothing.
fails EIO EOPNOTSUPP "fsync EOPNOTSUPP" fsync

answers "write short" "read odd"
check "cut short, all is written and read" blkop -d "$DEV" write:2M:256K:3 read:2M:256K:3
check "as seen from below" blkop truth read:2M:256K:3
answers "fallocate EOPNOTSUPP"
blkop "$DEV" discard:0:64K >/dev/null || true
truth_only
out=$(setpriv --reuid 1000 --regid 1000 --clear-groups -- dimgsetup show "$DEV")
check_match "neither is a failure; a user may ask" "^failed requests: +$failures\$" "$out"
check_match "the first one is kept, with its place" \
	"^first error: .*T..:..:.*write of 65536 bytes at 1048576: ENOSPC" "$out"
check_match "a flush is nowhere" "^last error: +[^ ]+ flush: EOPNOTSUPP" "$out"
check_fails "no path" grep lies <<<"$out"
answers "read EIO 4194304"
fails_with EIO blkop -d "$DEV" leak:4M:64K
truth_only
detach "$DEV"

attach_lies -b 4096 --direct-io=on
failures=0
fails ENOSPC ENOSPC "write ENOSPC" write:1M:64K:1
# FUSE itself makes EIO of it.
answers "write short"
if blkop -d "$DEV" write:4M:256K:5 >out; then
	check "direct, cut short: all is written" blkop truth read:4M:256K:5
else
	check_equal "direct, cut short: it fails" EIO "$(cat out)"
fi
truth_only
