/* A library that makes the files below a folder slow, as a busy network disk is. The dynamic linker loads it into every
 * process of a site (LD_PRELOAD). SLOW_DISK_FOLDER is the folder, SLOW_DISK_MS the milliseconds by which each
 * synchronisation is late; each opening, reading and writing of a file is late by a twentieth of that. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

static void wait_ms(double ms) {
  struct timespec pause = {(time_t)(ms / 1000), (long)(ms * 1e6) % 1000000000L};
  nanosleep(&pause, NULL);
}

static double late(void) {
  const char *ms = getenv("SLOW_DISK_MS");
  return ms ? atof(ms) : 0;
}

static int is_below(const char *path) {
  const char *folder = getenv("SLOW_DISK_FOLDER");
  return folder && path && strncmp(path, folder, strlen(folder)) == 0;
}

static void if_below(int file, double ms) {
  char link[32], path[PATH_MAX];
  snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length <= 0) return;
  path[length] = 0;
  if (is_below(path)) wait_ms(ms);
}

#define NEXT(name) \
  static __typeof__(name) *next; \
  if (!next) next = (__typeof__(next))dlsym(RTLD_NEXT, #name)

#define SLOW(result, name, declared, passed, ms) \
  result name declared { \
    NEXT(name); \
    if_below(file, ms); \
    return next passed; \
  }

SLOW(int, fsync, (int file), (file), late())
SLOW(int, fdatasync, (int file), (file), late())
SLOW(ssize_t, read, (int file, void *data, size_t size), (file, data, size), late() / 20)
SLOW(ssize_t, write, (int file, const void *data, size_t size), (file, data, size), late() / 20)
SLOW(ssize_t, pread64, (int file, void *data, size_t size, off64_t at), (file, data, size, at), late() / 20)
SLOW(ssize_t, pwrite64, (int file, const void *data, size_t size, off64_t at), (file, data, size, at), late() / 20)

int open64(const char *path, int flags, ...) {
  NEXT(open64);
  va_list rest;
  va_start(rest, flags);
  mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  if (is_below(path)) wait_ms(late() / 20);
  return next(path, flags, mode);
}
