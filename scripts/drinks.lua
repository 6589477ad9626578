-- An order by voice: speech recognition with a grammar, a key instead of words, and two more tries.
--
--   moonline call scripts/drinks.lua --caller scripts/drinks.caller.yaml
--
-- Needs the extra `asr` (pip install "moonline[asr]"): the engine pocketsphinx with a model of American English.
-- The grammar is the file drinks.gram beside this script; a name without a path would be looked for in ${grammar_dir}.

local folder = debug.getinfo(1, "S").source:match("^@?(.*/)") or "./"
local grammar = folder .. "drinks.gram"
-- Parameters of the engine stand in braces before the grammar: ms without a word, ms of silence after one, percent.
local parameters = "{no-input-timeout=4000,speech-timeout=1200}"
local drinks = { "coffee", "black tea", "mineral water", "orange juice" }

-- The engine answers in XML: <input mode="speech">black tea</input>, <input mode="speech"><noinput/></input>,
-- <nomatch/>. A key that ended it comes as "DIGIT: 2".
local function understood(result)
  local key = result:match("^DIGIT: (%d)")
  if key then return drinks[tonumber(key)] end
  local words = result:match('<input mode="speech">([^<]+)</input>')
  for _, drink in ipairs(drinks) do
    if words and words:find(drink, 1, true) then return drink end
  end
end

-- Besides, the events of recognition reach the input callback while the prompt is played.
function on_input(s, kind, data)
  if kind == "event" then
    s:consoleLog("debug", "speech: " .. tostring(data:getHeader("Speech-Type")) .. "\n")
  end
end

session:answer()
session:setVariable("tts_engine", "flite")
session:setVariable("tts_voice", "slt")
session:setVariable("playback_terminators", "1234") -- these keys end the prompt, and are the result
session:setInputCallback("on_input")

local question = "What would you like to drink? Coffee, black tea, mineral water or orange juice?"
for _ = 1, 3 do
  -- The caller may speak while the prompt is played: that ends it.
  local result = session:playAndDetectSpeech("say:" .. question, "pocketsphinx", parameters .. grammar)
  if not session:ready() then return end
  local drink = understood(result or "")
  if drink then
    session:setVariable("drink", drink)
    session:consoleLog("info", "order: " .. drink .. "\n")
    session:detectSpeech("stop") -- what follows needs no engine
    session:streamFile("say:One " .. drink .. ". Thank you.")
    session:hangup()
    return
  end
  question = "Sorry, I did not get that. Say coffee, black tea, mineral water or orange juice, or press 1 to 4."
end
session:streamFile("say:Please call again later.")
session:hangup()
