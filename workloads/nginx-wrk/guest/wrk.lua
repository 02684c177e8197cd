-- SPDX-License-Identifier: Apache-2.0
-- wrk -s wrk.lua URL -- SEED FILES: each thread asks for files in an order of its own that the seed draws.

local threads = 0

function setup(thread)
	threads = threads + 1
	thread:set("number", threads)
end

function init(args)
	files = tonumber(args[2])
	math.randomseed(tonumber(args[1]) * 64 + number)
end

function request()
	return wrk.format("GET", "/" .. math.random(files))
end

-- A line for each bucket that is not empty, its least value first. Buckets are those of harness/core/histogram.ts.
local function print_histogram(latency)
	local counts, order = {}, {}
	for i = 1, #latency do
		local us, count = latency(i)
		local n, width = us * 1000, 1
		while n / width >= 64 do
			width = width * 2
		end
		local least = math.floor(n / width) * width
		if not counts[least] then
			counts[least] = 0
			order[#order + 1] = least
		end
		counts[least] = counts[least] + tonumber(count)
	end
	table.sort(order)
	for _, least in ipairs(order) do
		print(string.format("latency_hist %.3f %d", least / 1000, counts[least]))
	end
end

function done(summary, latency, requests)
	for kind, count in pairs(summary.errors) do
		if count > 0 then
			io.stderr:write(string.format("wrk.lua: %d errors (%s)\n", count, kind))
			os.exit(1)
		end
	end
	if summary.requests == 0 then
		io.stderr:write("wrk.lua: no request was answered\n")
		os.exit(1)
	end
	print(string.format("requests_per_s %.3f", summary.requests / (summary.duration / 1e6)))
	for _, p in ipairs({ 50, 99, 99.9 }) do
		print(string.format("latency_p%s %.3f us", (tostring(p):gsub("%.", "")), latency:percentile(p)))
	end
	print_histogram(latency)
end
