-- An hour of call: sixty minutes, each with a prompt, keys, silence and a recording.
session:answer()
for _ = 1, 60 do
  session:streamFile(argv[1]) -- 20 s
  session:getDigits(4, "#", 10000) -- 10 s without a key
  session:sleep(10000)
  session:recordFile(argv[2], 20) -- 20 s
end
session:hangup()
