-- A survey with callbacks: questions from a table, keys that skip a question while it is read out.
--
--   moonline call scripts/survey.lua --caller scripts/survey.caller.yaml
--
-- The answers go out as a CUSTOM event, which any event-socket client can subscribe to.

local questions = {
  { key = "service", text = "How did you like our service? Press 1 to 5." },
  { key = "speed", text = "How quickly were you served? Press 1 to 5." },
  { key = "again", text = "Would you call again? Press 1 for yes, 0 for no.", pattern = "^[01]$" },
}

local pressed -- what the callback got while a question was spoken

-- The fourth argument is what was given to setInputCallback as its second: the NAME of a global, whose value comes here.
purpose = "survey"
function on_input(s, kind, data, arg)
  if kind ~= "dtmf" then return end
  session:consoleLog("debug", ("%s: key %s for %d samples\n"):format(arg, data.digit, data.duration))
  pressed = data.digit
  return "break" -- stop speaking: the caller knows the question
end

local function ask(question)
  local pattern = question.pattern or "^[1-5]$"
  for _ = 1, 2 do
    pressed = nil
    session:setInputCallback("on_input", "purpose")
    session:speak(question.text)
    session:unsetInputCallback()
    -- spoken to the end: wait for a key, four seconds at most
    local answer = pressed or session:getDigits(1, "", 4000)
    if answer and answer:match(pattern) then return answer end
    if not session:ready() then return nil end
    session:streamFile("ivr/ivr-that_was_an_invalid_entry.wav")
  end
end

session:answer()
session:set_tts_params("flite", "slt")
session:speak("Thank you for taking part.")

local event = freeswitch.Event("CUSTOM", "survey::answers")
local answered = 0
for _, question in ipairs(questions) do
  if not session:ready() then break end
  local answer = ask(question)
  session:consoleLog("info", question.key .. ": " .. tostring(answer) .. "\n")
  if answer then
    answered = answered + 1
    event:addHeader("Survey-" .. question.key, answer)
    session:setVariable("survey_" .. question.key, answer)
  end
end

event:addHeader("Survey-Caller", session:getVariable("caller_id_number") or "")
event:fire()

session:speak(("You answered %d questions. Goodbye."):format(answered))
session:hangup()
