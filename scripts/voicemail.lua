-- A voicemail-like recorder: beep, record, offer to listen, record again or keep.
--
--   moonline call scripts/voicemail.lua --caller scripts/voicemail.caller.yaml

local folder = argv[1] or "/tmp"
local path = ("%s/message-%s.wav"):format(folder, session:get_uuid())

-- An input callback is called for every key (and event) while something plays or records. "break" ends it.
function on_key(s, kind, key)
  if kind == "dtmf" then
    session:consoleLog("info", "key " .. key.digit .. "\n")
    return "break"
  end
end

-- A hangup hook runs as soon as the caller is gone, wherever the script is at that moment.
function on_hangup(s, why)
  freeswitch.consoleLog("notice", "the caller has gone (" .. why .. ")\n")
end

session:answer()
session:setHangupHook("on_hangup")

local kept = false
for _ = 1, 3 do
  session:streamFile("voicemail/vm-record_message.wav")
  session:execute("gentones", "%(500,0,880)")

  session:setInputCallback("on_key")
  -- recordFile(path, longest in s, silence threshold, seconds of silence that end it)
  session:recordFile(path, 60, 200, 4)
  session:unsetInputCallback()
  if not session:ready() then break end

  session:streamFile(path)
  -- 1 keeps the message, 2 records another
  local choice = session:playAndGetDigits(1, 1, 2, 4000, "", "voicemail/vm-press.wav", "", "[12]")
  if choice ~= "2" then
    kept = true
    break
  end
end

if kept then
  session:consoleLog("notice", ("message of %s s in %s\n"):format(session:getVariable("record_seconds"), path))
  session:streamFile("voicemail/vm-saved.wav")
end
session:streamFile("voicemail/vm-goodbye.wav")
session:hangup()
