-- SPDX-License-Identifier: Apache-2.0
-- Each thread asks for the 64 files in an order of its own, drawn with the seed. At the end: the whole distribution, in microseconds.
local threads = 0
function setup(thread)
	threads = threads + 1
	thread:set("number", threads)
end

function init(args)
	math.randomseed(tonumber(args[1]) + number)
end

function request()
	return wrk.format("GET", "/" .. math.random(0, 63))
end

function done(summary, latency, requests)
	io.write(string.format("requests %d\n", summary.requests))
	io.write(string.format("errors %d\n", summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.status + summary.errors.timeout))
	io.write(string.format("rate %.3f requests/s\n", summary.requests / summary.duration * 1e6))
	io.write(string.format("latency_p99 %d us\n", latency:percentile(99)))
	-- A line for each bucket that is not empty, its least value first. Buckets are those of harness/core/histogram.ts.
	local counts, order = {}, {}
	for i = 1, #latency do
		local value, count = latency(i)
		local width = 1
		while value * 1000 / width >= 64 do width = width * 2 end
		local least = math.floor(value * 1000 / width) * width
		if not counts[least] then
			counts[least] = 0
			order[#order + 1] = least
		end
		counts[least] = counts[least] + tonumber(count)
	end
	table.sort(order)
	for _, least in ipairs(order) do io.write(string.format("latency_hist %.3f %d\n", least / 1000, counts[least])) end
end
