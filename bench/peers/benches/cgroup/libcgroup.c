/* The jobs of the bench by the C library libcgroup, each the way its manual pages do it. Reads lines "JOB TIMES" and answers
 * the nanoseconds of one job, or "-" and why not. Between two getppid(2) a job alone is done: who traces can count. */
#include <errno.h>
#include <libcgroup.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const char *four[][3] = {{"pids", "pids.max", "5"},
				{"cpu", "cpu.shares", "512"},
				{"memory", "memory.limit_in_bytes", "104857600"},
				{"freezer", "freezer.state", "THAWED"}};

static char *base, *home, *controller, *file[2], *value[2], *statistic;
static pid_t mover;

#define TRY(call) do { int code = (call); if (code) return code; } while (0)

static const char *named(const char *purpose)
{
	static char name[256];
	snprintf(name, sizeof name, "%s-%s", base, purpose);
	return name;
}

static int look(const char *controller, const char *group, const char *name)
{
	char line[4096];
	void *handle = NULL;
	int code = cgroup_read_value_begin(controller, group, (char *)name, &handle, line, sizeof line);
	while (!code)
		code = cgroup_read_value_next(&handle, line, sizeof line);
	if (handle)
		cgroup_read_value_end(&handle);
	return code == ECGEOF ? 0 : code;
}

static int life(const char *name, const char *rows[][3], int controllers, const char *more[2])
{
	struct cgroup *group = cgroup_new_cgroup(name), *root = cgroup_new_cgroup("/");
	for (int i = 0; i < controllers; i++) {
		struct cgroup_controller *in = cgroup_add_controller(group, rows[i][0]);
		cgroup_add_controller(root, rows[i][0]);
		TRY(cgroup_add_value_string(in, rows[i][1], rows[i][2]));
		if (more)
			TRY(cgroup_add_value_string(in, more[0], more[1]));
	}
	TRY(cgroup_create_cgroup(group, 1));
	TRY(cgroup_attach_task_pid(group, mover));
	for (int i = 0; i < controllers; i++) {
		TRY(look(rows[i][0], name, rows[i][1]));
		if (more)
			TRY(look(rows[i][0], name, more[0]));
	}
	TRY(cgroup_attach_task_pid(root, mover));
	TRY(cgroup_delete_cgroup(group, 0));
	cgroup_free(&group);
	cgroup_free(&root);
	return 0;
}

static int life_in_one(void)
{
	const char *row[1][3] = {{controller, file[0], value[0]}}, *more[2] = {file[1], value[1]};
	return life(named("life"), row, 1, more);
}

static int life_in_four(void)
{
	return life(named("four"), four, 4, NULL);
}

static int change(void)
{
	struct cgroup *group = cgroup_new_cgroup(named("stays"));
	TRY(cgroup_add_value_string(cgroup_add_controller(group, controller), file[0], value[0]));
	TRY(cgroup_modify_cgroup(group));
	cgroup_free(&group);
	return 0;
}

static int tell(void)
{
	return look(controller, named("stays"), statistic);
}

static int list(void)
{
	pid_t *pids = NULL;
	int size;
	TRY(cgroup_get_procs((char *)named("stays"), controller, &pids, &size));
	free(pids);
	return 0;
}

static int fell(void)
{
	struct cgroup *group = cgroup_new_cgroup(named("tree"));
	cgroup_add_controller(group, controller);
	TRY(cgroup_delete_cgroup_ext(group, CGFLAG_DELETE_RECURSIVE));
	cgroup_free(&group);
	return 0;
}

static void grow(void)
{
	char path[512];
	int end = snprintf(path, sizeof path, "%s/%s", home, named("tree"));
	mkdir(path, 0755);
	for (int i = 0; i < 10; i++) {
		snprintf(path + end, sizeof path - end, "/%d", i);
		mkdir(path, 0755);
	}
}

static double now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1e9 + time.tv_nsec;
}

static const struct {
	const char *name;
	int (*job)(void);
} jobs[] = {{"life", life_in_one}, {"four", life_in_four}, {"change", change},
	    {"statistic", tell},   {"list", list},	   {"tree", fell}};

int main(int count, char **words)
{
	char name[32];
	int times, code = cgroup_init();
	if (count != 10)
		return 2;
	base = words[1], home = words[2], controller = words[3];
	file[0] = words[4], value[0] = words[5], file[1] = words[6], value[1] = words[7];
	statistic = words[8], mover = atoi(words[9]);
	while (scanf("%31s %d", name, &times) == 2) {
		double taken = 0;
		for (size_t i = 0; i < sizeof jobs / sizeof *jobs; i++) {
			if (strcmp(name, jobs[i].name))
				continue;
			for (int n = 0; n < times && !code; n++) {
				if (jobs[i].job == fell)
					grow();
				getppid();
				double start = now();
				code = jobs[i].job();
				taken += now() - start;
				getppid();
			}
		}
		if (code)
			printf("- %s: %s\n", cgroup_strerror(code), code == ECGOTHER ? strerror(cgroup_get_last_errno()) : "");
		else
			printf("%f\n", taken / times);
		fflush(stdout);
		code = 0;
	}
	return 0;
}
