/* A command that tells what became of one signal, and what starts it with that signal
 * blocked, ignored, or sent and held back.
 *
 *   probe start HOW SIGNAL COMMAND...   becomes COMMAND
 *   probe be HOW SIGNAL                 says "ready", then what it sees
 *
 * HOW is default, blocked, ignored or handled. It ends by itself when it has seen the
 * signal, or when its standard input ends.
 */
#define _GNU_SOURCE
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t count;

static void handle(int signal) {
    (void)signal;
    count++;
}

/* The C library keeps two signals to itself. */
static void block(int number) {
    unsigned long set = 1UL << (number - 1);
    syscall(SYS_rt_sigprocmask, SIG_BLOCK, &set, NULL, sizeof set);
}

static int is_pending(int number) {
    unsigned long set = 0;
    syscall(SYS_rt_sigpending, &set, sizeof set);
    return set >> (number - 1) & 1;
}

#ifdef __x86_64__
/* What a handler returns to: the call that undoes it, which has number 15. */
void finish(void);
__asm__("finish: mov $15, %rax\n syscall");
#define FINISH (unsigned long)finish
#define FLAGS 0x04000000UL
#else
#define FINISH 0
#define FLAGS 0
#endif

/* What a signal does from now on. */
static int let(int number, void (*handler)(int)) {
    struct {
        void (*handler)(int);
        unsigned long flags, restorer, mask;
    } action = {handler, FLAGS, FINISH, 0};
    return syscall(SYS_rt_sigaction, number, &action, NULL, sizeof action.mask);
}

static void nap(long milliseconds) {
    struct timespec left = {0, milliseconds * 1000000};
    while (nanosleep(&left, &left) != 0) {
    }
}

static int input_ended(void) {
    struct pollfd input = {0, POLLIN, 0};
    return poll(&input, 1, 1) > 0;
}

int main(int argc, char **argv) {
    if (argc < 4) return 100;
    const char *how = argv[2];
    int number = atoi(argv[3]);
    if (strcmp(argv[1], "start") == 0) {
        struct rlimit none = {0, 0};
        setrlimit(RLIMIT_CORE, &none);
        if (strcmp(how, "blocked") == 0 || strcmp(how, "pending") == 0) block(number);
        if (strcmp(how, "pending") == 0) kill(getpid(), number);
        /* The C library has what it starts ignore the signals that it keeps. */
        let(number, strcmp(how, "ignored") == 0 ? SIG_IGN : SIG_DFL);
        execv(argv[4], argv + 4);
        return 101;
    }
    if (strcmp(how, "handled") == 0) {
        if (let(number, handle) != 0) return 102;
    }
    puts("ready");
    fflush(stdout);
    while (!count && !is_pending(number) && !input_ended()) {
    }
    if (strcmp(how, "handled") == 0) {
        /* Another of it would come soon. */
        nap(15);
        printf("handled %d\n", (int)count);
    } else if (strcmp(how, "blocked") == 0) {
        printf("pending %d\n", is_pending(number));
    } else {
        puts("done");
    }
    return 7;
}
