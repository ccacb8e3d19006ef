/* Does what its argument says, and prints all that it learns from that.
 *
 * The argument is a list of operations between semicolons, each a letter and its operands
 * between commas. A first operation `%` makes it tidy: it changes nothing that it did not
 * create itself, and removes that at its end.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <stdarg.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

static char out[1 << 20];
static size_t out_len;
static int tidy;
static struct { dev_t dev; ino_t ino; char path[4096]; } own[256];
static int owned, inherited_own;

static void say(const char *format, ...) {
    va_list list;
    __builtin_va_start(list, format);
    if (out_len < sizeof out - 8192)
        out_len += (size_t)vsnprintf(out + out_len, 8000, format, list);
    __builtin_va_end(list);
}

static void say_bytes(const char *bytes, size_t len) {
    for (size_t at = 0; at < len; at++)
        say("%02x", (unsigned char)bytes[at]);
}

static void flush(void) {
    for (size_t at = 0; at < out_len;) {
        ssize_t n = write(1, out + at, out_len - at);
        if (n <= 0)
            _exit(99);
        at += (size_t)n;
    }
    out_len = 0;
}

static void created(const char *path) {
    struct stat st;
    char here[2048];
    if (owned == 256 || lstat(path, &st) || !getcwd(here, sizeof here))
        return;
    own[owned].dev = st.st_dev;
    own[owned].ino = st.st_ino;
    snprintf(own[owned++].path, sizeof own->path, "%s%s%s", *path == '/' ? "" : here,
             *path == '/' ? "" : "/", path);
}

static int is_own(const char *path, int follow) {
    struct stat st;
    if (follow ? stat(path, &st) : lstat(path, &st))
        return 0;
    for (int at = 0; at < owned; at++)
        if (own[at].dev == st.st_dev && own[at].ino == st.st_ino)
            return 1;
    return 0;
}

/* Whether something may be done to what is there. */
static int may(const char *path, int follow) { return !tidy || is_own(path, follow); }

static int is_there(const char *path) {
    struct stat st;
    return lstat(path, &st) == 0;
}

static void clean(void) {
    for (int at = owned; tidy && at-- > inherited_own;)
        if (is_own(own[at].path, 0) && unlink(own[at].path) && errno == EISDIR)
            rmdir(own[at].path);
}

static void say_stat(const char *what, int failed, const struct stat *st) {
    if (failed) {
        say("%s: error %d\n", what, errno);
        return;
    }
    say("%s: %o", what, st->st_mode);
    if (S_ISREG(st->st_mode) || S_ISLNK(st->st_mode))
        say(" %lld", (long long)st->st_size);
    say("\n");
}

static void say_file(const char *what, int fd) {
    char bytes[4096];
    if (fd < 0) {
        say("%s: error %d\n", what, errno);
        return;
    }
    ssize_t n = read(fd, bytes, sizeof bytes);
    if (n < 0)
        say("%s: error %d\n", what, errno);
    else {
        say("%s: ", what);
        say_bytes(bytes, (size_t)n);
        say("\n");
    }
    close(fd);
}

static int by_name(const void *one, const void *other) {
    return strcmp(*(char *const *)one, *(char *const *)other);
}

static void list(const char *path, int deep) {
    DIR *dir = opendir(path);
    if (!dir) {
        say("list %s: error %d\n", path, errno);
        return;
    }
    char *names[512];
    int count = 0;
    for (struct dirent *entry; (entry = readdir(dir)) && count < 512;)
        if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..") &&
            asprintf(&names[count], "%d%s", entry->d_type, entry->d_name) > 0)
            count++;
    closedir(dir);
    qsort(names, (size_t)count, sizeof *names, by_name);
    say("list %s:", path);
    for (int at = 0; at < count; at++)
        say(" %s", names[at]);
    say("\n");
    for (int at = 0; at < count; at++) {
        if (deep && names[at][0] == '4') {
            char below[4096];
            snprintf(below, sizeof below, "%s/%s", path, names[at] + 1);
            list(below, deep - 1);
        }
        free(names[at]);
    }
}

static void done(const char *what, int failed) {
    if (failed)
        say("%s: error %d\n", what, errno);
    else
        say("%s: done\n", what);
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at) {
    return remove(path);
}

static void perform(char *op, char **rest);

static void run(char *ops) {
    char *rest = ops;
    for (char *op; (op = strsep(&rest, ";"));)
        perform(op, &rest);
}

static void perform(char *op, char **rest) {
    struct stat st;
    struct statx stx;
    char bytes[4200];
    char letter = *op++;
    char *a = strsep(&op, ","), *b = op ? op : "";
    if (!a)
        a = "";
    int fd, was;
    switch (letter) {
    case '%': tidy = 1; break;
    case 'r': say_file("read", open(a, O_RDONLY)); break;
    case 'N': say_file("nofollow", open(a, O_RDONLY | O_NOFOLLOW)); break;
    case 'm':
        fd = open(a, O_RDONLY);
        if (fd < 0 || fstat(fd, &st) || !S_ISREG(st.st_mode) || !st.st_size)
            say("map: error %d\n", errno);
        else {
            char *map = mmap(0, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
            say("map: ");
            say_bytes(map, (size_t)st.st_size);
            say("\n");
        }
        if (fd >= 0)
            close(fd);
        errno = 0;
        break;
    case 's': was = stat(a, &st); say_stat("stat", was, &st); break;
    case 'l': was = lstat(a, &st); say_stat("lstat", was, &st); break;
    case 't':
        was = stat(a, &st);
        say_stat("time", was, &st);
        /* That of what it wrote itself is the time of day. */
        if (!was && S_ISREG(st.st_mode) && st.st_mtim.tv_sec < 1100000000)
            say("  %lld.%ld\n", (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
        break;
    case 'e':
        was = statx(AT_FDCWD, a, AT_SYMLINK_NOFOLLOW, STATX_MODE | STATX_TYPE, &stx);
        if (was) say("statx: error %d\n", errno); else say("statx: %o\n", stx.stx_mode);
        break;
    case 'k':
        was = (int)readlink(a, bytes, sizeof bytes);
        if (was < 0) say("link: error %d\n", errno); else say("link: %.*s\n", was, bytes);
        break;
    case 'x': done("access", access(a, X_OK)); done("access", access(a, F_OK)); break;
    case 'z':
        was = (int)listxattr(a, bytes, sizeof bytes);
        if (was < 0) say("xattr: error %d\n", errno); else say("xattr: %d\n", was);
        break;
    case 'q': {
        char *real = realpath(a, 0);
        char here[4096] = "";
        if (getcwd(here, sizeof here) && real) say("real: %s\n", real);
        else say("real: error %d\n", errno);
        free(real);
        break;
    }
    case 'L': list(a, 0); break;
    case 'W': list(a, 4); break;
    case 'c': done("chdir", chdir(a)); break;
    case 'g':
        fd = open(a, O_RDONLY | O_DIRECTORY);
        done("folder", fd < 0);
        if (fd >= 0) { done("fchdir", fchdir(fd)); close(fd); }
        break;
    case 'f':
        fd = open(a, O_PATH | O_DIRECTORY);
        done("at", fd < 0);
        if (fd >= 0) {
            say_file("there", openat(fd, b, O_RDONLY));
            was = fstatat(fd, b, &st, 0);
            say_stat("there", was, &st);
            close(fd);
        }
        break;
    case 'D':
        fd = open(a, O_PATH | O_NOFOLLOW);
        done("itself", fd < 0);
        if (fd >= 0) {
            was = fstatat(fd, "", &st, AT_EMPTY_PATH);
            say_stat("itself", was, &st);
            close(fd);
        }
        break;
    case 'G': say("here: %s\n", getcwd(bytes, sizeof bytes) ? bytes : "nowhere"); break;
    case 'w':
        if (tidy && is_there(a) && !is_own(a, 0)) { say("write: left alone\n"); break; }
        fd = open(a, O_WRONLY | O_CREAT | O_TRUNC | (tidy && !is_there(a) ? O_EXCL : 0), 0644);
        done("write", fd < 0 || write(fd, b, strlen(b)) < 0);
        if (fd >= 0) { close(fd); created(a); }
        break;
    case 'E':
        fd = open(a, O_RDWR | O_CREAT | O_EXCL, 0600);
        done("new", fd < 0);
        if (fd >= 0) { close(fd); created(a); }
        break;
    case 'b':
        was = is_there(a);
        if (tidy && was && !is_own(a, 1)) { say("open: left alone\n"); break; }
        fd = open(a, O_RDWR | O_CREAT, 0644);
        if (fd >= 0 && !was) created(a);
        say_file("open", fd);
        break;
    case 'a':
        if (!may(a, 1)) { say("append: left alone\n"); break; }
        fd = open(a, O_WRONLY | O_APPEND);
        done("append", fd < 0 || write(fd, b, strlen(b)) < 0);
        if (fd >= 0) close(fd);
        break;
    case 'O':
        if (!may(a, 1)) { say("edit: left alone\n"); break; }
        fd = open(a, O_RDWR);
        done("edit", fd < 0 || pread(fd, bytes, 1, 0) < 0 || pwrite(fd, b, strlen(b), 0) < 0);
        if (fd >= 0) close(fd);
        break;
    case 'u':
        if (may(a, 0)) done("unlink", unlink(a)); else say("unlink: left alone\n");
        break;
    case 'M': was = mkdir(a, 0755); done("mkdir", was); if (!was) created(a); break;
    case 'R':
        if (may(a, 0)) done("rmdir", rmdir(a)); else say("rmdir: left alone\n");
        break;
    case 'n':
        if (!may(a, 0) || (is_there(b) && !may(b, 0))) { say("rename: left alone\n"); break; }
        was = rename(a, b);
        done("rename", was);
        if (!was && (tidy || is_own(b, 0))) created(b);
        break;
    case 'h':
        if (!may(a, 0)) { say("link: left alone\n"); break; }
        was = link(a, b);
        done("link", was);
        if (!was) created(b);
        break;
    case 'y': was = symlink(a, b); done("symlink", was); if (!was) created(b); break;
    case 'C':
        if (may(a, 1)) done("chmod", chmod(a, 0600)); else say("chmod: left alone\n");
        break;
    case 'T':
        if (may(a, 1)) done("truncate", truncate(a, 1)); else say("truncate: left alone\n");
        break;
    case 'U':
        if (may(a, 1)) done("times", utimensat(AT_FDCWD, a, 0, 0)); else say("times: left alone\n");
        break;
    case 'P':
        if (may(a, 1)) done("chmod", chmod(a, 0755)); else say("chmod: left alone\n");
        break;
    case 'B':
        if (tidy) { say("exchange: left alone\n"); break; }
        done("exchange", (int)syscall(SYS_renameat2, AT_FDCWD, a, AT_FDCWD, b, 2));
        break;
    case 'K': {
        /* A file without a name gets one. */
        if (tidy) { say("name: left alone\n"); break; }
        char fd_path[64];
        fd = open(".", O_TMPFILE | O_WRONLY, 0644);
        was = fd < 0 || write(fd, b, strlen(b)) < 0;
        snprintf(fd_path, sizeof fd_path, "/proc/self/fd/%d", fd);
        done("name", was || linkat(AT_FDCWD, fd_path, AT_FDCWD, a, AT_SYMLINK_FOLLOW));
        if (fd >= 0) close(fd);
        break;
    }
    case 'Y':
        /* Changed by way of memory, once it is closed. */
        if (!may(a, 1)) { say("map: left alone\n"); break; }
        fd = open(a, O_RDWR);
        if (fd < 0 || fstat(fd, &st) || !S_ISREG(st.st_mode) || !st.st_size)
            say("map: error %d\n", errno);
        else {
            char *map = mmap(0, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
            close(fd);
            fd = -1;
            map[0] = *b;
            munmap(map, (size_t)st.st_size);
            say("map: done\n");
        }
        if (fd >= 0)
            close(fd);
        break;
    case 'Z': {
        if (tidy) { say("copy: left alone\n"); break; }
        int to = -1;
        fd = open(a, O_RDONLY);
        if (fd >= 0) to = open(b, O_WRONLY | O_CREAT | O_TRUNC, 0644);
        done("copy", fd < 0 || to < 0 || copy_file_range(fd, 0, to, 0, 4096, 0) < 0);
        if (fd >= 0) close(fd);
        if (to >= 0) close(to);
        break;
    }
    case 'V':
        /* Written beside, and put in its place. */
        if (tidy) { say("replace: left alone\n"); break; }
        fd = open("tmpQw3Er4", O_WRONLY | O_CREAT | O_EXCL, 0644);
        was = fd < 0 || write(fd, b, strlen(b)) < 0;
        if (fd >= 0) close(fd);
        was = was || rename("tmpQw3Er4", a);
        if (was) { int error = errno; unlink("tmpQw3Er4"); errno = error; }
        done("replace", was);
        break;
    case 'd':
        /* In a folder that is open. */
        if (tidy) { say("within: left alone\n"); break; }
        fd = open(a, O_PATH | O_DIRECTORY);
        done("at", fd < 0);
        if (fd >= 0) {
            was = openat(fd, "x", O_WRONLY | O_CREAT | O_TRUNC, 0644);
            done("within", was < 0 || write(was, b, strlen(b)) < 0);
            if (was >= 0) close(was);
            done("folder", mkdirat(fd, "c", 0700));
            close(fd);
        }
        break;
    case 'j':
        if (tidy) { say("remove: left alone\n"); break; }
        done("remove", nftw(a, remove_one, 16, FTW_DEPTH | FTW_PHYS));
        break;
    case 'A':
        if (tidy) { say("attribute: left alone\n"); break; }
        done("attribute", setxattr(a, "user.a", b, strlen(b), 0));
        break;
    case '?':
        /* The next only if that is there. */
        if (stat(a, &st) && *rest) strsep(rest, ";");
        break;
    case '!':
        /* The next only if that holds something that begins like `b`. */
        fd = open(a, O_RDONLY);
        was = fd >= 0 && read(fd, bytes, 1) == 1 && bytes[0] == *b;
        if (fd >= 0) close(fd);
        if (!was && *rest) strsep(rest, ";");
        break;
    case 'F': {
        /* The rest is done by a child. */
        char *ops = *rest;
        *rest = 0;
        flush();
        pid_t child = strlen(a) ? vfork() : fork();
        if (!child) {
            if (strlen(a)) { execl("/proc/self/exe", "program", ops ? ops : "", (char *)0); _exit(98); }
            inherited_own = owned;
            if (ops) run(ops);
            clean();
            flush();
            _exit(0);
        }
        int status;
        waitpid(child, &status, 0);
        say("child: %d\n", status);
        break;
    }
    case 'X': {
        flush();
        pid_t child = vfork();
        if (!child) { execl(a, a, b, (char *)0); _exit(90); }
        int status;
        waitpid(child, &status, 0);
        say("execute: %d\n", status);
        break;
    }
    default: break;
    }
}

int main(int argc, char **argv) {
#ifdef OTHER
    say("another program\n");
#endif
    if (argc > 2) {
        /* A script of which this is the interpreter. */
        char ops[4096] = "";
        int fd = open(argv[1], O_RDONLY);
        ssize_t n = read(fd, ops, sizeof ops - 1);
        close(fd);
        char *line = n > 0 ? strchr(ops, '\n') : 0;
        if (line) run(line + 1);
    } else if (argc == 2) {
        run(strdup(argv[1]));
    }
    clean();
    flush();
    return out_len != 0;
}
