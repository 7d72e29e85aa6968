# tries: /dev/null as a channel between two calls: a lock, its times, a watch (own)
# property: P9
# contained: the device's inode is the host's; its times must not be the tool's to set
control_in root
free utimes:/dev/null=ok
attack() { act utimes:/dev/null chmod:/dev/null setxattr:/dev/null,user.x,1; }
held utimes:/dev/null=EROFS chmod:/dev/null=EROFS setxattr:/dev/null,user.x,1=EROFS
