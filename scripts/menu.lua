-- A menu: greet, ask for a key, and give up politely after three tries.
--
--   moonline call scripts/menu.lua --caller scripts/menu.caller.yaml
--
-- `session` is the call. Every method that plays or waits blocks this script, and only this script.

session:answer()
session:sleep(500) -- a moment of silence, so that the caller does not miss the first word

session:streamFile("ivr/ivr-welcome_to_freeswitch.wav")

-- playAndGetDigits(min, max, tries, timeout in ms, terminators, prompt, "wrong key" prompt, pattern)
-- It plays the prompt, collects keys while it plays, and asks again when the pattern does not fit.
-- It returns "" when all tries are used up.
local prompt = "file_string://ivr/ivr-please_enter_the_number_you_wish_to_call.wav!tone_stream://%(150,0,880)"
local choice = session:playAndGetDigits(1, 1, 3, 4000, "", prompt, "ivr/ivr-that_was_an_invalid_entry.wav", "[123]")
session:consoleLog("info", "choice: " .. choice .. "\n")

local actions = {
  ["1"] = function()
    -- `say` chooses the prompt files for a value: here the digits one by one
    session:say(session:getVariable("caller_id_number") or "unknown", "en", "telephone_number", "iterated")
  end,
  ["2"] = function()
    session:say(tostring(os.time()), "en", "current_date_time", "pronounced")
  end,
  ["3"] = function()
    session:execute("playback", "tone_stream://%(200,100,440);loops=3")
  end,
}

local action = actions[choice]
if action then
  action()
  session:setVariable("menu_choice", choice) -- for whoever looks at the call later (a CDR, another script)
else
  session:streamFile("ivr/ivr-please_try_again_later.wav")
end

session:streamFile("voicemail/vm-goodbye.wav")
session:hangup()
