// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ring buffers. A thread of its own waits for the kernel's word and calls into JavaScript's thread, where records are taken out; it
 * waits on only when that has happened. So neither the event loop nor a thread of its pool is ever blocked.
 */
#include "map.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

static const napi_type_tag ring_tag = { 0x7c1f4e09a2b84d13, 0x8f3a51d07e6c2b95 };

/* Records of one turn of the event loop: whoever writes as fast as they are read must not keep the loop for itself. */
#define TURN_RECORDS 256
/* A record has a header of 8 bytes. */
#define SMALLEST_RECORD 8

/* It lasts as long as its handle, and as the thread-safe function, which may have a call queued when the handle goes. */
struct ring {
	int references;
	struct ring_buffer *bpf; /* NULL: closed */
	napi_threadsafe_function call;
	napi_ref callback;
	napi_env env;
	pthread_t waiter;
	int wake; /* eventfd: records were taken out, or it is the end */
	bool is_ending, has_thrown, is_taking;
	uint32_t capacity;    /* records that fit */
	uint32_t taken, most; /* records of this taking, and when it ends */
};

/* Only in JavaScript's thread. */
static void release_ring(struct ring *ring)
{
	if (--ring->references)
		return;
	close(ring->wake);
	free(ring);
}

/* Nobody calls any more, and no call is queued. */
static void finalize_call(napi_env env, void *data, void *hint)
{
	(void)env, (void)hint;
	release_ring(data);
}

/* The waiting thread. */
static void *wait_for_records(void *data)
{
	struct ring *ring = data;
	struct pollfd fds[] = { { ring_buffer__epoll_fd(ring->bpf), POLLIN, 0 }, { ring->wake, POLLIN, 0 } };
	bool is_taken = true;

	for (;;) {
		eventfd_t count;

		fds[0].fd = is_taken ? ring_buffer__epoll_fd(ring->bpf) : -1;
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			break;
		if (fds[1].revents & POLLIN) {
			eventfd_read(ring->wake, &count);
			is_taken = true;
		}
		if (__atomic_load_n(&ring->is_ending, __ATOMIC_ACQUIRE))
			break;
		if (fds[0].fd >= 0 && fds[0].revents & POLLIN && !fds[1].revents) {
			is_taken = false;
			/* Refused, it is given back already; else nobody would come. */
			if (napi_call_threadsafe_function(ring->call, ring, napi_tsfn_nonblocking))
				return NULL;
		}
	}
	napi_release_threadsafe_function(ring->call, napi_tsfn_release);
	return NULL;
}

/* One record, in JavaScript's thread; anything but 0 ends the taking. */
static int on_record(void *data, void *record, size_t length)
{
	struct ring *ring = data;
	napi_value callback, receiver, bytes, ignored;
	napi_handle_scope scope;
	bool failed;

	/* The callback before may have closed the ring. */
	if (__atomic_load_n(&ring->is_ending, __ATOMIC_ACQUIRE))
		return -ECANCELED;
	if (napi_open_handle_scope(ring->env, &scope))
		return -ECANCELED;
	failed = napi_get_reference_value(ring->env, ring->callback, &callback) ||
		 napi_get_undefined(ring->env, &receiver) || !(bytes = make_bytes(ring->env, record, length)) ||
		 napi_call_function(ring->env, receiver, callback, 1, &bytes, &ignored);
	napi_close_handle_scope(ring->env, scope);
	ring->has_thrown |= failed;
	/* This record is taken out all the same; the rest stays. */
	return failed || ++ring->taken >= ring->most ? -ECANCELED : 0;
}

static void end_ring(struct ring *ring)
{
	if (__atomic_exchange_n(&ring->is_ending, true, __ATOMIC_ACQ_REL))
		return;
	eventfd_write(ring->wake, 1);
	pthread_join(ring->waiter, NULL);
	/* While records are being taken out, their taker frees. */
	if (!ring->is_taking) {
		ring_buffer__free(ring->bpf);
		ring->bpf = NULL;
	}
	if (ring->callback)
		napi_delete_reference(ring->env, ring->callback);
	ring->callback = NULL;
}

static void take_records(struct ring *ring, uint32_t most)
{
	ring->is_taking = true;
	ring->taken = 0;
	ring->most = most;
	ring_buffer__consume(ring->bpf);
	ring->is_taking = false;
	if (ring->is_ending) {
		ring_buffer__free(ring->bpf);
		ring->bpf = NULL;
	}
}

/* Called in JavaScript's thread when there are records. */
static void on_wake(napi_env env, napi_value unused, void *context, void *data)
{
	struct ring *ring = data;

	(void)unused, (void)context;
	/* `env` is NULL while Node ends. A ring that was closed meanwhile has nothing to give. */
	if (!env || ring->is_ending)
		return;
	if (!ring->is_taking)
		take_records(ring, TURN_RECORDS);
	if (ring->has_thrown) {
		napi_value error;

		ring->has_thrown = false;
		if (!napi_get_and_clear_last_exception(env, &error))
			napi_fatal_exception(env, error);
	}
	if (!ring->is_ending)
		eventfd_write(ring->wake, 1);
}

static void end_with_node(void *data)
{
	end_ring(data);
}

static void finalize_ring(napi_env env, void *data, void *hint)
{
	struct ring *ring = data;

	(void)hint;
	napi_remove_env_cleanup_hook(env, end_with_node, ring);
	end_ring(ring);
	release_ring(ring);
}

static bool start_waiter(napi_env env, struct ring *ring, napi_value callback)
{
	napi_value name = make_text(env, "ebpf-napi ring buffer");

	if (napi_create_reference(env, callback, 1, &ring->callback) ||
	    napi_create_threadsafe_function(env, NULL, NULL, name, 0, 1, ring, finalize_call, NULL, on_wake, &ring->call)) {
		throw_misuse(env, "ERR_OUT_OF_MEMORY", "cannot wait for a ring buffer");
		return false;
	}
	ring->references++;
	if (pthread_create(&ring->waiter, NULL, wait_for_records, ring)) {
		napi_release_threadsafe_function(ring->call, napi_tsfn_abort);
		throw_misuse(env, "ERR_OUT_OF_MEMORY", "cannot start a thread for a ring buffer");
		return false;
	}
	return true;
}

static void drop_ring(struct ring *ring)
{
	if (ring->callback)
		napi_delete_reference(ring->env, ring->callback);
	ring->callback = NULL;
	ring_buffer__free(ring->bpf);
	ring->bpf = NULL;
	release_ring(ring);
}

/* openRing(map, callback): the callback gets each record's bytes */
static napi_value open_ring(napi_env env, napi_callback_info info)
{
	napi_value arguments[2], handle;
	napi_valuetype type;
	struct shape shape;
	struct ring *ring;

	if (!read_arguments(env, info, 2, arguments) || !read_shape(env, arguments[0], &shape))
		return NULL;
	if (napi_typeof(env, arguments[1], &type) || type != napi_function)
		return throw_misuse(env, "ERR_INVALID_ARG_TYPE", "callback must be a function");
	if (shape.type != BPF_MAP_TYPE_RINGBUF)
		return throw_misuse(env, "ERR_INVALID_ARG_VALUE", "map %s is no ring buffer", shape.name);
	ring = calloc(1, sizeof(*ring));
	if (!ring)
		return throw_misuse(env, "ERR_OUT_OF_MEMORY", "no memory for a ring buffer");
	ring->references = 1;
	ring->capacity = shape.max_entries / SMALLEST_RECORD;
	ring->env = env;
	ring->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	ring->bpf = ring->wake < 0 ? NULL : ring_buffer__new(shape.fd, on_record, ring, NULL);
	if (!ring->bpf) {
		napi_value thrown = throw_libbpf(env, errno, "cannot open ring buffer %s", shape.name);

		drop_ring(ring);
		return thrown;
	}
	if (!start_waiter(env, ring, arguments[1])) {
		drop_ring(ring);
		return NULL;
	}
	napi_add_env_cleanup_hook(env, end_with_node, ring);
	if (napi_create_external(env, ring, finalize_ring, NULL, &handle)) {
		finalize_ring(env, ring, NULL);
		return throw_misuse(env, "ERR_OUT_OF_MEMORY", "cannot make a handle");
	}
	return napi_type_tag_object(env, handle, &ring_tag) ? NULL : handle;
}

static struct ring *unwrap_ring(napi_env env, napi_callback_info info)
{
	bool is_right = false;
	napi_valuetype type;
	napi_value value;
	void *data;

	if (!read_arguments(env, info, 1, &value))
		return NULL;
	if (napi_typeof(env, value, &type) || type != napi_external ||
	    napi_check_object_type_tag(env, value, &ring_tag, &is_right) || !is_right ||
	    napi_get_value_external(env, value, &data))
		return (void *)throw_misuse(env, "ERR_INVALID_ARG_TYPE", "this is no ring buffer of ebpf-napi");
	return data;
}

/* closeRing(ring) */
static napi_value close_ring(napi_env env, napi_callback_info info)
{
	struct ring *ring = unwrap_ring(env, info);

	if (!ring)
		return NULL;
	end_ring(ring);
	return make_undefined(env);
}

/* takeRing(ring): takes out what is there now, at most as many records as fit; how many */
static napi_value take_ring(napi_env env, napi_callback_info info)
{
	struct ring *ring = unwrap_ring(env, info);

	if (!ring)
		return NULL;
	if (ring->is_ending)
		return throw_misuse(env, "ERR_BPF_CLOSED", "the ring buffer is closed");
	if (ring->is_taking)
		return throw_misuse(env, "ERR_BPF_BUSY", "the ring buffer's callback cannot take records out itself");
	take_records(ring, ring->capacity);
	/* The callback threw: its exception goes on. */
	if (ring->has_thrown) {
		ring->has_thrown = false;
		return NULL;
	}
	return make_number(env, ring->taken);
}

static napi_value hold_loop(napi_env env, napi_callback_info info, bool is_held)
{
	struct ring *ring = unwrap_ring(env, info);

	if (!ring)
		return NULL;
	if (ring->is_ending)
		return make_undefined(env);
	if (is_held)
		napi_ref_threadsafe_function(env, ring->call);
	else
		napi_unref_threadsafe_function(env, ring->call);
	return make_undefined(env);
}

/* refRing(ring), unrefRing(ring): whether an open ring keeps the process alive */
static napi_value ref_ring(napi_env env, napi_callback_info info)
{
	return hold_loop(env, info, true);
}

static napi_value unref_ring(napi_env env, napi_callback_info info)
{
	return hold_loop(env, info, false);
}

void define_ring(napi_env env, napi_value exports)
{
	define_function(env, exports, "openRing", open_ring);
	define_function(env, exports, "closeRing", close_ring);
	define_function(env, exports, "takeRing", take_ring);
	define_function(env, exports, "refRing", ref_ring);
	define_function(env, exports, "unrefRing", unref_ring);
}
