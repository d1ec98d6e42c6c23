/*
 * PCP's own client of the privileged collector service (pmdaRootConnect(3)), to be served by ours.
 *
 *     cc -o pmda_root_client pmda_root_client.c -lpcp_pmda -lpcp
 *     pmda_root_client SOCKET (hostname|pid|cgroup NAME)...
 *
 * Prints a line for each question: the question, what the library returned, and the host name if there is one.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <pcp/pmapi.h>
#include <pcp/pmda.h>

static void ask(int fd, const char *what, const char *name)
{
    char text[256] = "";
    int length = (int)strlen(name);
    int answer;

    if (strcmp(what, "hostname") == 0)
        answer = pmdaRootContainerHostName(fd, name, length, text, sizeof text);
    else if (strcmp(what, "pid") == 0)
        answer = pmdaRootContainerProcessID(fd, name, length);
    else
        answer = pmdaRootContainerCGroupName(fd, name, length, text, sizeof text);
    printf("%s %s: %d%s%s\n", what, name, answer, text[0] ? " " : "", text);
}

int main(int count, char **arguments)
{
    int fd;

    if (count < 2 || count % 2 != 0) {
        fprintf(stderr, "usage: %s SOCKET (hostname|pid|cgroup NAME)...\n", arguments[0]);
        return 2;
    }
    fd = pmdaRootConnect(arguments[1]);
    if (fd < 0) {
        printf("connect: %d\n", fd);
        return 1;
    }
    for (int i = 2; i < count; i += 2)
        ask(fd, arguments[i], arguments[i + 1]);
    pmdaRootShutdown(fd);
    close(fd);
    return 0;
}
