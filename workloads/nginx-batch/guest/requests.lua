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
	for i = 1, #latency do
		local value, count = latency(i)
		if count > 0 then io.write(string.format("latency_hist %d %d\n", value, count)) end
	end
end
