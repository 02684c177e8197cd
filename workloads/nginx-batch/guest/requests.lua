-- SPDX-License-Identifier: Apache-2.0
-- wrk -s requests.lua URL -- SEED CONNECTIONS: each thread asks for the 64 files in an order of its own, drawn with the seed. At the end: the whole distribution, in microseconds.
local threads, first = 0, nil
function setup(thread)
	threads = threads + 1
	first = first or thread
	thread:set("number", threads)
end

function init(args)
	connections = tonumber(args[2])
	math.randomseed(tonumber(args[1]) + number)
end

function request()
	return wrk.format("GET", "/" .. math.random(0, 63))
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

-- Nearest rank.
local function percentile(order, counts, sum, p)
	local rank, seen = math.ceil(sum * p / 100), 0
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

function done(summary, latency, requests)
	io.write(string.format("requests %d\n", summary.requests))
	io.write(string.format("errors %d\n", summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.status + summary.errors.timeout))
	io.write(string.format("rate %.3f requests/s\n", summary.requests / summary.duration * 1e6))
	local order, counts = distribution(summary, latency, first:get("connections"))
	print(string.format("latency_p99 %d us", percentile(order, counts, summary.requests, 99)))
	print_histogram(order, counts)
end
