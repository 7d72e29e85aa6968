# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2034,SC2317 # read by lib.sh
# tries: to write through a read path, in every way that is not write(2) (attempt 44)
# property: P3
# contained: EROFS; EXDEV for links across
for_any
reading
also create:/{,etc/,run/,var/}x=ok # where these are the sandbox's own
free read:READ/file=ok write:READ/file=ok mmap:READ/file=ok utimes:READ/file=ok chmod:READ/file=ok create:READ/x=ok \
	mkdir:READ/m=ok link:READ/file,READ/linked=ok rename:READ/file,READ/renamed=ok
rehearse() {
	act read:"$READ/file" write:"$READ/file" truncate:"$READ/file" mmap:"$READ/file" utimes:"$READ/file" \
		chmod:"$READ/file" create:"$READ/x" mkdir:"$READ/m" link:"$READ/file,$READ/linked" \
		rename:"$READ/file,$READ/renamed"
}
attack() {
	act read:"$READ/file" write:"$READ/file" truncate:"$READ/file" mmap:"$READ/file" utimes:"$READ/file" \
		chmod:"$READ/file" setxattr:"$READ/file,user.x,1" fallocate:"$READ/file" clone:"$WORKSPACE/attack,$READ/file" create:"$READ/x" mkdir:"$READ/m" \
		symlink:/,"$READ/s" mkfifo:"$READ/f" link:"$READ/file,$READ/linked" link:"$READ/file,$WORKSPACE/linked" \
		rename:"$READ/file,$READ/renamed" rename:"$WORKSPACE/attack,$READ/file" exchange:"$READ/file,$READ/dir" \
		rmdir:"$READ/dir" unlink:"$READ/renamed" chmod:/usr/bin/true utimes:/usr/bin/true create:/usr/x \
		create:/etc/x create:/x create:/run/x create:/var/x rename:/usr/bin/true,/usr/bin/false2
}
held read:READ/file=ok write:READ/file=EROFS truncate:READ/file=EROFS mmap:READ/file=EROFS utimes:READ/file=EROFS \
	chmod:READ/file=EROFS setxattr:READ/file,user.x,1=EROFS fallocate:READ/file=EBADF clone:WORKSPACE/attack,READ/file=EROFS create:READ/x=EROFS \
	mkdir:READ/m=EROFS symlink:/,READ/s=EROFS mkfifo:READ/f=EROFS link:READ/file,READ/linked=EROFS \
	link:READ/file,WORKSPACE/linked=EXDEV rename:READ/file,READ/renamed=EROFS \
	rename:WORKSPACE/attack,READ/file=EXDEV exchange:READ/file,READ/dir=EROFS rmdir:READ/dir=EROFS \
	unlink:READ/renamed=EROFS chmod:/usr/bin/true=EROFS utimes:/usr/bin/true=EROFS create:/usr/x=EROFS \
	create:/etc/x=EROFS create:/x=EROFS create:/run/x=EROFS create:/var/x=EROFS \
	rename:/usr/bin/true,/usr/bin/false2=EROFS
