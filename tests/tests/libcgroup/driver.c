/*
 * Does what a scenario says with the C library libcgroup, and prints what each call returned: the other half of
 * main.rs, which does the same with standin::cgroup.
 *
 * A line is a call: its name, then words; a word may hold \n, \s for a blank, and \e for nothing at all. What is printed is
 * a line per call: the returned code, the errno behind ECGOTHER, and what the call gave, numbers of processes as <1>.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libcgroup.h>

enum { OBJECTS = 26, WORDS = 8, LINE = 1 << 16 };

static struct cgroup *objects[OBJECTS];

static struct cgroup **object(const char *name)
{
	if (name == NULL || name[0] < 'a' || name[0] > 'z' || name[1] != '\0') {
		fprintf(stderr, "no object: %s\n", name ? name : "nothing");
		exit(2);
	}
	return &objects[name[0] - 'a'];
}

static struct cgroup_controller *part(const char *name, const char *controller)
{
	return cgroup_get_controller(*object(name), controller);
}

/* In place: what stands for characters that a word cannot hold. */
static char *spelled(char *word)
{
	char *from = word, *to = word;

	while (from != NULL && *from != '\0') {
		if (from[0] == '\\' && from[1] == 'n') {
			*to++ = '\n';
			from += 2;
		} else if (from[0] == '\\' && from[1] == 's') {
			*to++ = ' ';
			from += 2;
		} else if (from[0] == '\\' && from[1] == 'e') {
			from += 2;
		} else {
			*to++ = *from++;
		}
	}
	if (to != NULL)
		*to = '\0';
	return word;
}

static void told(int code)
{
	if (code == ECGOTHER)
		printf("%d %d", code, cgroup_get_last_errno());
	else
		printf("%d", code);
}

static unsigned int number(const char *word, int base)
{
	return strcmp(word, "-") == 0 ? (unsigned int)-1 : (unsigned int)strtoul(word, NULL, base);
}

static void value(char **words, bool is_new)
{
	struct cgroup_controller *controller = part(words[1], words[2]);
	const char *type = words[3], *file = words[4], *text = words[5] ? words[5] : "";

	if (strcmp(type, "string") == 0)
		told((is_new ? cgroup_add_value_string : cgroup_set_value_string)(controller, file, text));
	else if (strcmp(type, "i64") == 0)
		told((is_new ? cgroup_add_value_int64 : cgroup_set_value_int64)(controller, file, strtoll(text, NULL, 10)));
	else if (strcmp(type, "u64") == 0)
		told((is_new ? cgroup_add_value_uint64 : cgroup_set_value_uint64)(controller, file, strtoull(text, NULL, 10)));
	else
		told((is_new ? cgroup_add_value_bool : cgroup_set_value_bool)(controller, file, strcmp(text, "true") == 0));
}

static void got(char **words)
{
	struct cgroup_controller *controller = part(words[1], words[2]);
	const char *type = words[3], *file = words[4];
	int code;

	if (strcmp(type, "string") == 0) {
		char *text = NULL;

		told(code = cgroup_get_value_string(controller, file, &text));
		if (code == 0)
			printf(" %s", text);
		free(text);
	} else if (strcmp(type, "i64") == 0) {
		int64_t signed_number;

		told(code = cgroup_get_value_int64(controller, file, &signed_number));
		if (code == 0)
			printf(" %" PRId64, signed_number);
	} else if (strcmp(type, "u64") == 0) {
		u_int64_t unsigned_number;

		told(code = cgroup_get_value_uint64(controller, file, &unsigned_number));
		if (code == 0)
			printf(" %" PRIu64, (uint64_t)unsigned_number);
	} else {
		bool flag;

		told(code = cgroup_get_value_bool(controller, file, &flag));
		if (code == 0)
			printf(" %s", flag ? "true" : "false");
	}
}

static void owners(const char *name)
{
	uid_t tasks_uid, control_uid;
	gid_t tasks_gid, control_gid;
	int code = cgroup_get_uid_gid(*object(name), &tasks_uid, &tasks_gid, &control_uid, &control_gid);

	told(code);
	if (code == 0)
		printf(" %d:%d %d:%d", (int)tasks_uid, (int)tasks_gid, (int)control_uid, (int)control_gid);
}

static void procs(char *name, char *controller)
{
	pid_t *pids = NULL;
	int size = 0, code = cgroup_get_procs(name, controller, &pids, &size);

	told(code);
	for (int index = 0; code == 0 && index < size; index++)
		printf(" <%d>", (int)pids[index]);
	free(pids);
}

static int call(char **words)
{
	const char *name = words[0];

	if (strcmp(name, "init") == 0)
		told(cgroup_init());
	else if (strcmp(name, "new") == 0)
		printf("%s", (*object(words[1]) = cgroup_new_cgroup(words[2])) ? "object" : "null");
	else if (strcmp(name, "controller") == 0)
		printf("%s", cgroup_add_controller(*object(words[1]), words[2]) ? "object" : "null");
	else if (strcmp(name, "all") == 0)
		told(cgroup_add_all_controllers(*object(words[1])));
	else if (strcmp(name, "clear") == 0)
		cgroup_free_controllers(*object(words[1])), printf("done");
	else if (strcmp(name, "add") == 0)
		value(words, true);
	else if (strcmp(name, "set") == 0)
		value(words, false);
	else if (strcmp(name, "get") == 0)
		got(words);
	else if (strcmp(name, "count") == 0)
		printf("%d", cgroup_get_value_name_count(part(words[1], words[2])));
	else if (strcmp(name, "own") == 0)
		told(cgroup_set_uid_gid(*object(words[1]), number(words[2], 10), number(words[3], 10),
					number(words[4], 10), number(words[5], 10)));
	else if (strcmp(name, "owners") == 0)
		owners(words[1]);
	else if (strcmp(name, "allow") == 0)
		cgroup_set_permissions(*object(words[1]), number(words[2], 8), number(words[3], 8), number(words[4], 8)),
			printf("done");
	else if (strcmp(name, "create") == 0)
		told(cgroup_create_cgroup(*object(words[1]), words[2] != NULL));
	else if (strcmp(name, "create_from_parent") == 0)
		told(cgroup_create_cgroup_from_parent(*object(words[1]), words[2] != NULL));
	else if (strcmp(name, "modify") == 0)
		told(cgroup_modify_cgroup(*object(words[1])));
	else if (strcmp(name, "delete") == 0)
		told(cgroup_delete_cgroup_ext(*object(words[1]), (int)number(words[2] ? words[2] : "0", 10)));
	else if (strcmp(name, "load") == 0)
		told(cgroup_get_cgroup(*object(words[1])));
	else if (strcmp(name, "copy") == 0)
		told(cgroup_copy_cgroup(*object(words[1]), *object(words[2])));
	else if (strcmp(name, "compare") == 0)
		told(cgroup_compare_cgroup(*object(words[1]), *object(words[2])));
	else if (strcmp(name, "compare_controllers") == 0)
		told(cgroup_compare_controllers(part(words[1], words[2]), part(words[3], words[4])));
	else if (strcmp(name, "procs") == 0)
		procs(words[1], words[2]);
	else if (strcmp(name, "chmod") == 0)
		told(cg_chmod_recursive(*object(words[1]), number(words[2], 8), words[2][0] != '-', number(words[3], 8),
					words[3][0] != '-'));
	else
		return 0;
	return 1;
}

int main(void)
{
	static char line[LINE];

	while (fgets(line, sizeof line, stdin) != NULL) {
		char *words[WORDS + 1] = { NULL };
		int count = 0;

		for (char *word = strtok(line, " \n"); word != NULL && count < WORDS; word = strtok(NULL, " \n"))
			words[count++] = spelled(word);
		if (count == 0)
			continue;
		if (!call(words)) {
			fprintf(stderr, "no call: %s\n", words[0]);
			return 2;
		}
		printf("\n");
		fflush(stdout);
	}
	return 0;
}
