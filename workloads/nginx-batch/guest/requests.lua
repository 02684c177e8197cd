-- SPDX-License-Identifier: Apache-2.0
-- wrk -s requests.lua URL -- SEED CONNECTIONS THREADS SECONDS: each thread asks for the 64 files in an order of its own, drawn with the
-- seed. At the end: the whole distribution, in microseconds.
local threads, count = {}, 0

-- All requests are awaited: after `span_s` seconds a connection sends nothing more, and when every answer is there wrk is told to end. So
-- its closed loop leaves no request out because it took long. wrk's threads have a Lua state each; `idle` is memory that they share.
local ffi = require("ffi")
ffi.cdef [[
	struct pmvx_time { long s, ns; };
	int clock_gettime(int clock, struct pmvx_time *time);
	int getpid(void);
	int kill(int pid, int signal);
	void *calloc(size_t count, size_t size);
]]
local CLOCK_MONOTONIC, SIGINT = 1, 2
local time = ffi.new("struct pmvx_time")

local function seconds()
	ffi.C.clock_gettime(CLOCK_MONOTONIC, time)
	return tonumber(time.s) + tonumber(time.ns) / 1e9
end

-- wrk asks for one request before it begins, to see that it is one: it is never sent.
local function is_trial_of_script()
	called = called + 1
	return number == 1 and called == 1
end

-- A connection has nothing to send: the last one of all ends the run.
local function rest()
	resting = resting + 1
	local idle = ffi.cast("int *", idle_at)
	if resting == own then idle[number] = 1 end
	for at = 1, of do
		if idle[at] == 0 then return "" end
	end
	ffi.C.kill(ffi.C.getpid(), SIGINT)
	return ""
end

function setup(thread)
	shared = shared or tonumber(ffi.cast("intptr_t", ffi.C.calloc(65, ffi.sizeof("int"))))
	count = count + 1
	threads[count] = thread
	thread:set("number", count)
	thread:set("idle_at", shared)
end

function init(args)
	connections, of, span_s = tonumber(args[2]), tonumber(args[3]), tonumber(args[4])
	own = math.floor(connections / of)
	math.randomseed(tonumber(args[1]) + number)
	called, sent, resting = 0, 0, 0
end

function request()
	local asked = wrk.format("GET", "/" .. math.random(0, 63))
	if is_trial_of_script() then return asked end
	last = seconds()
	begun = begun or last
	if last >= begun + span_s then return rest() end
	sent = sent + 1
	return asked
end

-- wrk adds, for each answer that took longer than twice the mean time between answers on a connection, what requests would have seen that
-- were due meanwhile. The loop is closed, so there were none: they are taken out again, the longest times first, in microseconds.
local function answered(summary, latency, connections)
	local counts, longest = {}, 0
	for i = 1, #latency do
		local us, count = latency(i)
		us = tonumber(us)
		counts[us] = tonumber(count)
		longest = math.max(longest, us)
	end
	local each = math.floor(summary.requests / connections)
	local expected = each > 0 and math.floor(summary.duration / each) or 0
	for us = longest, expected > 0 and expected * 2 or longest + 1, -1 do
		local count, m = counts[us] or 0, us - expected
		while count > 0 and m > expected do
			counts[m] = counts[m] - count
			m = m - expected
		end
	end
	return counts
end

-- Times of answers in rising order with their counts; nothing but what was answered.
local function distribution(summary, latency, connections)
	local counts, order, sum = answered(summary, latency, connections), {}, 0
	for us, count in pairs(counts) do
		sum = sum + count
		if count > 0 then order[#order + 1] = us end
	end
	if sum ~= summary.requests then
		io.stderr:write(string.format("wrk: the distribution has %d answers of %d\n", sum, summary.requests))
		os.exit(1)
	end
	table.sort(order)
	return order, counts
end

-- Nearest rank, those without an answer being ranked above all others; none when it is one of them.
local function percentile(order, counts, sum, unanswered, p)
	local all = sum + unanswered
	local rank, seen = math.ceil(all * p / 100 - 1e-9), 0
	if rank > sum then
		io.stderr:write(string.format("wrk: the %sth percentile is censored: rank %d of %d lies among the %d requests that had no answer at the end\n", p, rank, all, unanswered))
		os.exit(1)
	end
	for _, us in ipairs(order) do
		seen = seen + counts[us]
		if seen >= rank then return us end
	end
end

-- A line for each bucket that is not empty, its least value first. Buckets are those of harness/core/histogram.ts.
local function print_histogram(order, counts)
	local from, sum
	for _, us in ipairs(order) do
		local width = 1
		while us * 1000 / width >= 64 do width = width * 2 end
		local least = math.floor(us * 1000 / width) * width
		if least ~= from then
			if from then print(string.format("latency_hist %.3f %d", from / 1000, sum)) end
			from, sum = least, 0
		end
		sum = sum + counts[us]
	end
	if from then print(string.format("latency_hist %.3f %d", from / 1000, sum)) end
end

-- Requests of all threads without an answer, and the time from the first request to the last answer.
local function loop_of(summary)
	local sent, from, to = 0, math.huge, 0
	for _, thread in ipairs(threads) do
		sent = sent + thread:get("sent")
		from, to = math.min(from, thread:get("begun") or math.huge), math.max(to, thread:get("last") or 0)
	end
	return sent - summary.requests, to - from
end

function done(summary, latency, requests)
	local unanswered, elapsed = loop_of(summary)
	print(string.format("requests %d", summary.requests))
	for kind, count in pairs(summary.errors) do
		if count > 0 then
			io.stderr:write(string.format("wrk: %d errors (%s)\n", count, kind))
			os.exit(1)
		end
	end
	if summary.requests == 0 then
		io.stderr:write("wrk: no request was answered\n")
		os.exit(1)
	end
	print(string.format("rate %.3f requests/s", summary.requests / elapsed))
	local order, counts = distribution(summary, latency, threads[1]:get("connections"))
	print(string.format("latency_p99 %d us", percentile(order, counts, summary.requests, unanswered, 99)))
	print_histogram(order, counts)
	print(string.format("latency_beyond %d", unanswered))
end
