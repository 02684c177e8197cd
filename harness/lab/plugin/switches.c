// SPDX-License-Identifier: GPL-2.0-or-later
#include "switches.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "emulator.h"
#include "qemu-plugin-abi.h"

#define COMM_SIZE 16

static FILE *file;
static uint64_t address, pid_offset, comm_offset;
static struct qemu_plugin_register *prev_register, *next_register;
static int64_t (*clock_ns)(void);

bool switches_option(const char *text)
{
	if (!strncmp(text, "switches=", 9))
		file = fopen(text + 9, "w");
	else if (!strncmp(text, "switch=", 7))
		address = strtoull(text + 7, NULL, 16);
	else if (!strncmp(text, "pid=", 4))
		pid_offset = strtoull(text + 4, NULL, 10);
	else if (!strncmp(text, "comm=", 5))
		comm_offset = strtoull(text + 5, NULL, 10);
	else
		return false;
	return true;
}

void switches_vcpu(void)
{
	GArray *registers;

	if (!file || next_register)
		return;
	registers = qemu_plugin_get_registers();
	for (unsigned int i = 0; i < registers->len; i++) {
		const qemu_plugin_reg_descriptor *each = (const qemu_plugin_reg_descriptor *)(void *)registers->data + i;

		/* The System V ABI's first two arguments. */
		if (!strcmp(each->name, "rdi"))
			prev_register = each->handle;
		else if (!strcmp(each->name, "rsi"))
			next_register = each->handle;
	}
	g_array_free(registers, 1);
	if (!prev_register || !next_register) {
		fprintf(stderr, "slice: this QEMU shows no rdi and rsi\n");
		exit(1);
	}
}

static uint64_t read_register(struct qemu_plugin_register *which, GByteArray *bytes)
{
	uint64_t value = 0;

	g_byte_array_set_size(bytes, 0);
	if (qemu_plugin_read_register(which, bytes) == sizeof(value))
		memcpy(&value, bytes->data, sizeof(value));
	return value;
}

static int32_t pid_of(uint64_t task, GByteArray *bytes)
{
	int32_t pid = -1;

	if (qemu_plugin_read_memory_vaddr(task + pid_offset, bytes, sizeof(pid)))
		memcpy(&pid, bytes->data, sizeof(pid));
	return pid;
}

static void on_switch(unsigned int unused, void *nothing)
{
	GByteArray *bytes = g_byte_array_new();
	uint64_t prev = read_register(prev_register, bytes), next = read_register(next_register, bytes);
	int32_t from = pid_of(prev, bytes), to = pid_of(next, bytes);
	char comm[COMM_SIZE + 1] = "?";

	(void)unused;
	(void)nothing;
	if (qemu_plugin_read_memory_vaddr(next + comm_offset, bytes, COMM_SIZE))
		memcpy(comm, bytes->data, COMM_SIZE);
	comm[COMM_SIZE] = '\0';
	fprintf(file, "%" PRId64 " %u %d %d %s\n", clock_ns(), running_vcpu(), from, to, comm);
	g_byte_array_free(bytes, 1);
}

void switches_block(struct qemu_plugin_tb *tb, int64_t (*now_ns)(void))
{
	if (!file || qemu_plugin_tb_vaddr(tb) != address)
		return;
	clock_ns = now_ns;
	qemu_plugin_register_vcpu_tb_exec_cb(tb, on_switch, QEMU_PLUGIN_CB_R_REGS, NULL);
}

void switches_close(void)
{
	if (file)
		fclose(file);
	file = NULL;
}
