# tries: a ring that makes system calls past the filter (attempt 25)
# property: P14
# contained: ENOSYS
free io_uring=ok
attack() { act io_uring; }
held io_uring=ENOSYS
