-- A PIN check against a database: three tries, the caller's name comes from a table.
--
--   moonline call scripts/pin_check.lua --caller scripts/pin_check.caller.yaml
--
-- freeswitch.Dbh opens SQLite by a plain name (in the switch's db folder) or by sqlite://PATH, PostgreSQL by pgsql://…

local dbh = freeswitch.Dbh("sqlite://" .. (argv[1] or "/tmp/moonline-pins.db"))
assert(dbh:connected(), "the database of PINs cannot be opened")

-- For the demonstration the script makes its own table. test_reactive runs the second statement when the first fails.
dbh:test_reactive(
  "SELECT count(*) FROM pins",
  "DROP TABLE pins",
  "CREATE TABLE pins (number TEXT PRIMARY KEY, pin TEXT NOT NULL, name TEXT NOT NULL)"
)
dbh:query("INSERT OR REPLACE INTO pins VALUES ('1000', '4711', 'Grace')")

-- What a caller sends never goes into SQL as it is: only digits pass.
local function digits_only(text)
  return (text or ""):match("^%d+$") or "0"
end

session:answer()
session:set_tts_params("flite", "kal") -- the engine and voice of session:speak

local number = digits_only(session:getVariable("caller_id_number"))
local wanted, name
dbh:query("SELECT pin, name FROM pins WHERE number = '" .. number .. "'", function(row)
  wanted, name = row.pin, row.name
end)

local granted = false
for try = 1, 3 do
  -- read(min, max, prompt, timeout in ms, terminators): keys until # or until eight are there
  local pin = session:read(4, 8, "conference/conf-pin.wav", 5000, "#")
  if wanted and pin == wanted then
    granted = true
    break
  end
  session:consoleLog("warning", ("wrong PIN from %s, try %d\n"):format(number, try))
  session:streamFile("conference/conf-bad-pin.wav")
  if not session:ready() then break end -- the caller may have hung up meanwhile
end

if granted then
  session:consoleLog("notice", name .. " is in\n")
  session:setVariable("pin_owner", name)
  session:speak("Hello " .. name)
  session:say("3", "en", "messages", "pronounced")
  session:hangup()
else
  session:hangup("CALL_REJECTED")
end

dbh:release()
