-- wrk: draws requests at random from a file with one body a line.
-- BODIES: the file; TOKEN: a bearer token or nothing; SEED: where the draw starts.
local headers = { ["Content-Type"] = "application/json" }
if os.getenv("TOKEN") then headers["Authorization"] = "Bearer " .. os.getenv("TOKEN") end
math.randomseed(tonumber(os.getenv("SEED") or "1"))

local requests = {}

function init(args)
  for body in io.lines(os.getenv("BODIES")) do
    requests[#requests + 1] = wrk.format("POST", nil, headers, body)
  end
end

function request()
  return requests[math.random(#requests)]
end
