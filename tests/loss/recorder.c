/* Preloaded into a robot: records, in order, everything it does to the files of one folder.

   RECORD_FOLDER: the folder. RECORD_FILE: where the record goes. RECORD_SLOW_MS: how long every sync takes more.
   Each item: kind (1 byte), id of the open file or 0 (8), offset (8), length of the name (4), length of the data (4),
   name, data. What is mapped into memory (-shm) is not recorded: it is not needed after a crash. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define REAL(type, name, ...) \
    static type (*real)(__VA_ARGS__); \
    if (!real) real = (type (*)(__VA_ARGS__))dlsym(RTLD_NEXT, name)

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int out = -1;
static char folder[4096];
static long slow_ms;
static char ours[65536];               /* whether a handle is of the folder */
static uint64_t inode_of[65536];
static int real_write_all(int fd, const void *data, size_t size) {
    static ssize_t (*real)(int, const void *, size_t);
    if (!real) real = dlsym(RTLD_NEXT, "write");
    const char *at = data;
    while (size) {
        ssize_t n = real(fd, at, size);
        if (n < 0) { if (errno == EINTR) continue; return -1; }
        at += n; size -= n;
    }
    return 0;
}

__attribute__((constructor)) static void begin(void) {
    const char *where = getenv("RECORD_FOLDER"), *file = getenv("RECORD_FILE"), *slow = getenv("RECORD_SLOW_MS");
    if (where) snprintf(folder, sizeof folder, "%s", where);
    if (slow) slow_ms = atol(slow);
    if (file) {
        REAL(int, "open", const char *, int, ...);
        out = real(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    }
}

static int is_ours(const char *path) {
    size_t n = strlen(folder);
    return n && path && strncmp(path, folder, n) == 0;
}

static void item(char kind, uint64_t id, int64_t offset, const char *name, const void *data, size_t size) {
    if (out < 0) return;
    uint32_t name_size = name ? strlen(name) : 0, data_size = size;
    char head[25];
    head[0] = kind;
    memcpy(head + 1, &id, 8); memcpy(head + 9, &offset, 8);
    memcpy(head + 17, &name_size, 4); memcpy(head + 21, &data_size, 4);
    real_write_all(out, head, 25);
    if (name_size) real_write_all(out, name, name_size);
    if (data_size) real_write_all(out, data, data_size);
}

/* The change and its record are one step, so that the record has the order in which things happened. */
#define DURING(call, what) \
    pthread_mutex_lock(&lock); \
    __typeof__(call) result = call; \
    int kept = errno; \
    if (result >= 0) { what; } \
    errno = kept; \
    pthread_mutex_unlock(&lock); \
    return result

static uint64_t identity(int fd) {
    struct stat status;
    return fstat(fd, &status) == 0 ? (uint64_t)status.st_ino : 0;
}

static void opened(int fd, const char *path, int flags, int was_there) {
    if (fd < 0 || fd >= 65536) return;
    ours[fd] = is_ours(path);
    if (!ours[fd]) return;
    inode_of[fd] = identity(fd);
    if (!was_there) item('c', inode_of[fd], 0, path, NULL, 0);
    else if (flags & O_TRUNC) item('t', inode_of[fd], 0, path, NULL, 0);
    else item('o', inode_of[fd], 0, path, NULL, 0);
}

static int open_with(const char *name, const char *path, int flags, mode_t mode) {
    int (*real)(const char *, int, ...) = dlsym(RTLD_NEXT, name);
    if (!is_ours(path)) {
        int fd = real(path, flags, mode);
        if (fd >= 0 && fd < 65536) ours[fd] = 0;
        return fd;
    }
    pthread_mutex_lock(&lock);
    int was_there = access(path, F_OK) == 0;
    int fd = real(path, flags, mode);
    int kept = errno;
    opened(fd, path, flags, was_there);
    errno = kept;
    pthread_mutex_unlock(&lock);
    return fd;
}

#define OPEN(name) \
    int name(const char *path, int flags, ...) { \
        va_list rest; va_start(rest, flags); \
        mode_t mode = va_arg(rest, mode_t); va_end(rest); \
        return open_with(#name, path, flags, mode); \
    }
OPEN(open)
OPEN(open64)

int openat(int at, const char *path, int flags, ...) {
    va_list rest; va_start(rest, flags); mode_t mode = va_arg(rest, mode_t); va_end(rest);
    if (at == AT_FDCWD || path[0] == '/') return open_with("open", path, flags, mode);
    REAL(int, "openat", int, const char *, int, ...);
    return real(at, path, flags, mode);
}
int openat64(int at, const char *path, int flags, ...) {
    va_list rest; va_start(rest, flags); mode_t mode = va_arg(rest, mode_t); va_end(rest);
    if (at == AT_FDCWD || path[0] == '/') return open_with("open64", path, flags, mode);
    REAL(int, "openat64", int, const char *, int, ...);
    return real(at, path, flags, mode);
}

#define OURS(fd) ((fd) >= 0 && (fd) < 65536 && ours[fd])

ssize_t write(int fd, const void *data, size_t size) {
    REAL(ssize_t, "write", int, const void *, size_t);
    if (fd == 1) {  /* what the robot says: after everything that was done before it */
        DURING(real(fd, data, size), item('s', 0, 0, NULL, data, result));
    }
    if (!OURS(fd)) return real(fd, data, size);
    int64_t at = lseek(fd, 0, SEEK_CUR);
    DURING(real(fd, data, size), item('w', inode_of[fd], at, NULL, data, result));
}
ssize_t pwrite(int fd, const void *data, size_t size, off_t at) {
    REAL(ssize_t, "pwrite", int, const void *, size_t, off_t);
    if (!OURS(fd)) return real(fd, data, size, at);
    DURING(real(fd, data, size, at), item('w', inode_of[fd], at, NULL, data, result));
}
ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at) {
    REAL(ssize_t, "pwrite64", int, const void *, size_t, off64_t);
    if (!OURS(fd)) return real(fd, data, size, at);
    DURING(real(fd, data, size, at), item('w', inode_of[fd], at, NULL, data, result));
}
int ftruncate(int fd, off_t size) {
    REAL(int, "ftruncate", int, off_t);
    if (!OURS(fd)) return real(fd, size);
    DURING(real(fd, size), item('z', inode_of[fd], size, NULL, NULL, 0));
}
int ftruncate64(int fd, off64_t size) {
    REAL(int, "ftruncate64", int, off64_t);
    if (!OURS(fd)) return real(fd, size);
    DURING(real(fd, size), item('z', inode_of[fd], size, NULL, NULL, 0));
}
static void wait_slowly(void) {
    if (!slow_ms) return;
    struct timespec wait = {slow_ms / 1000, (slow_ms % 1000) * 1000000};
    nanosleep(&wait, NULL);
}
int fsync(int fd) {
    REAL(int, "fsync", int);
    if (!OURS(fd)) return real(fd);
    wait_slowly();
    DURING(real(fd), item('f', inode_of[fd], 0, NULL, NULL, 0));
}
int fdatasync(int fd) {
    REAL(int, "fdatasync", int);
    if (!OURS(fd)) return real(fd);
    wait_slowly();
    DURING(real(fd), item('f', inode_of[fd], 0, NULL, NULL, 0));
}
int rename(const char *from, const char *to) {
    REAL(int, "rename", const char *, const char *);
    if (!is_ours(from)) return real(from, to);
    DURING(real(from, to), item('r', 0, 0, from, to, strlen(to)));
}
int unlink(const char *path) {
    REAL(int, "unlink", const char *);
    if (!is_ours(path)) return real(path);
    DURING(real(path), item('u', 0, 0, path, NULL, 0));
}
int mkdir(const char *path, mode_t mode) {
    REAL(int, "mkdir", const char *, mode_t);
    if (!is_ours(path)) return real(path, mode);
    DURING(real(path, mode), item('m', 0, 0, path, NULL, 0));
}
