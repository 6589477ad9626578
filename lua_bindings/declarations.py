"""The interface that mod_lua offers to scripts, declared once: classes, constructors, methods, functions.

Each line is a C++ declaration as FreeSWITCH 1.11's mod_lua shows it in its error messages (SWIG's wrappers were the
source for names, types, defaults and overloads; the recorded errors confirm them). A default makes an argument
optional within one wrapper; a name declared twice is an overload set with SWIG's "Wrong arguments for overloaded
function" error. `EventConsumer:filter` is an addition.

`contract.py` parses this text; the Lua wrappers, the documentation and completion come from it.
"""

from __future__ import annotations

from typing import Final

FUNCTIONS: Final = """
void setGlobalVariable(char * var_name, char * var_val)
char * getGlobalVariable(char * var_name)
void consoleLog(char * level_str, char * msg)
void consoleLog2(char * level_str, char * file, char * func, int line, char * msg)
void consoleCleanLog(char * msg)
bool running()
bool email(char * to, char * from, char * headers = nil, char * body = nil, char * file = nil,
           char * convert_cmd = nil, char * convert_ext = nil)
void console_log(char * level_str, char * msg)
void console_log2(char * level_str, char * file, char * func, int line, char * msg)
void console_clean_log(char * msg)
void msleep(unsigned int ms)
void bridge(CoreSession & session_a, CoreSession & session_b)
switch_status_t hanguphook(switch_core_session_t * session)
switch_status_t dtmf_callback(switch_core_session_t * session, void * input, switch_input_type_t itype, void * buf,
                              unsigned int buflen)
"""

CONSTANTS: Final = {"S_HUP": 1, "S_FREE": 2, "S_RDLOCK": 4}

IVR_MENU: Final = """
new IVRMenu(IVRMenu * main, char const * name, char const * greeting_sound, char const * short_greeting_sound,
            char const * invalid_sound, char const * exit_sound, char const * transfer_sound,
            char const * confirm_macro, char const * confirm_key, char const * tts_engine, char const * tts_voice,
            int confirm_attempts, int inter_timeout, int digit_len, int timeout, int max_failures, int max_timeouts)
void bindAction(char * action, char const * arg, char const * bind)
void execute(CoreSession * session, char const * name)
"""

API: Final = """
new API(CoreSession * s = nil)
char const * execute(char const * command, char const * data = nil)
char const * executeString(char const * command)
char * getTime()
"""

INPUT_CALLBACK_STATE: Final = """
new input_callback_state()
attribute void * c_function
attribute void * threadState
attribute void * extra
attribute char * funcargs
"""

STRING: Final = """
new string()
new string(char const * text)
unsigned int size() const
unsigned int length() const
bool empty() const
char const * c_str() const
char const * data() const
void assign(char const * text)
"""

DTMF: Final = """
new DTMF(char idigit, uint32_t iduration = nil)
attribute char digit
attribute uint32_t duration
"""

STREAM: Final = """
new Stream()
new Stream(switch_stream_handle_t * sp)
bytes_and_length read()
void write(char const * data)
void raw_write(char const * data, int len)
char const * get_data()
"""

EVENT: Final = """
new Event(char const * type, char const * subclass_name = nil)
new Event(switch_event_t * wrap_me, int free_me = 0)
attribute switch_event_t * event
attribute char * serialized_string
attribute int mine
int chat_execute(char const * app, char const * data = nil)
int chat_send(char const * dest_proto = nil)
char const * serialize(char const * format = nil)
bool setPriority(switch_priority_t priority = nil)
char const * getHeader(char const * header_name)
char * getBody()
char const * getType()
bool addBody(char const * value)
bool addHeader(char const * header_name, char const * value)
bool delHeader(char const * header_name)
bool fire()
bool merge(Event * to_merge)
alias add_body addBody
alias get_body getBody
"""

EVENT_CONSUMER: Final = """
new EventConsumer(char const * event_name = nil, char const * subclass_name = "", int len = 5000)
attribute switch_queue_t * events
attribute switch_event_types_t e_event_id
attribute char * e_callback
attribute char * e_subclass_name
attribute char * e_cb_arg
attribute switch_event_node_t ** enodes
attribute uint32_t node_index
int bind(char const * event_name, char const * subclass_name = "")
void filter(char const * header, char const * value = nil)
Event * pop(int block = 0, int timeout = 0)
void cleanup()
"""

CORE_SESSION: Final = """
attribute switch_core_session_t * session
attribute switch_channel_t * channel
attribute unsigned int flags
attribute int allocated
attribute input_callback_state * cb_state
attribute switch_channel_state_t hook_state
attribute switch_call_cause_t cause
attribute char * uuid
attribute char * tts_name
attribute char * voice_name
int insertFile(char const * file, char const * insert_file, int sample_point)
int answer()
int print(char * txt)
int preAnswer()
void hangup(char const * cause = "normal_clearing")
void hangupState()
void setVariable(char * var, char * val)
void setPrivate(char * var, void * val)
void * getPrivate(char * var)
char const * getVariable(char * var)
switch_status_t process_callback_result(char * result)
void say(char const * tosay, char const * module_name, char const * say_type, char const * say_method,
         char const * say_gender = nil)
void sayPhrase(char const * phrase_name, char const * phrase_data = "", char const * phrase_lang = nil)
char const * hangupCause()
char const * getState()
int recordFile(char * file_name, int time_limit = 0, int silence_threshold = 0, int silence_hits = 0)
int originate(CoreSession * a_leg_session, char * dest, int timeout = 60, switch_state_handler_table_t * handlers = nil)
void destroy()
void setDTMFCallback(void * cbfunc, char * funcargs)
int speak(char * text)
void set_tts_parms(char * tts_name, char * voice_name)
void set_tts_params(char * tts_name, char * voice_name)
int collectDigits(int abs_timeout)
int collectDigits(int digit_timeout, int abs_timeout)
char * getDigits(int maxdigits, char * terminators, int timeout)
char * getDigits(int maxdigits, char * terminators, int timeout, int interdigit)
char * getDigits(int maxdigits, char * terminators, int timeout, int interdigit, int abstimeout)
int transfer(char * extension, char * dialplan = nil, char * context = nil)
char * read(int min_digits, int max_digits, char const * prompt_audio_file, int timeout,
            char const * valid_terminators, int digit_timeout = 0)
void detectSpeech(char * arg0, char * arg1 = nil, char * arg2 = nil, char * arg3 = nil)
char * playAndGetDigits(int min_digits, int max_digits, int max_tries, int timeout, char * terminators,
                        char * audio_files, char * bad_input_audio_files, char * digits_regex,
                        char const * var_name = nil, int digit_timeout = 0, char const * transfer_on_failure = nil)
char * playAndDetectSpeech(char * file, char * engine, char * grammar)
int streamFile(char * file, int starting_sample_count = 0)
int sleep(int ms, int sync = 0)
int flushEvents()
int flushDigits()
int setAutoHangup(bool val)
void setHangupHook(void * hangup_func)
bool ready()
bool bridged()
bool answered()
bool mediaReady()
void waitForAnswer(CoreSession * calling_session)
void execute(char const * app, char const * data = nil)
void sendEvent(Event * sendME)
void setEventData(Event * e)
char * getXMLCDR()
bool begin_allow_threads()
bool end_allow_threads()
char * get_uuid() const
switch_input_args_t * get_cb_args() const
void check_hangup_hook()
switch_status_t run_dtmf_callback(void * input, switch_input_type_t itype)
void consoleLog(char * level_str, char * msg)
void consoleLog2(char * level_str, char * file, char * func, int line, char * msg)
char const * executeString(char const * command)
alias hangupStatus hangupCause
"""

SESSION: Final = """
new Session()
new Session(char * uuid, CoreSession * a_leg)
new Session(char * uuid)
new Session(switch_core_session_t * session)
read_only char * cb_function
read_only char * cb_arg
read_only char * hangup_func_str
read_only char * hangup_func_arg
void destroy(char const * err)
void destroy()
bool begin_allow_threads()
bool end_allow_threads()
void check_hangup_hook()
switch_status_t run_dtmf_callback(void * input, switch_input_type_t itype)
void unsetInputCallback()
void setInputCallback(char * cbfunc, char * funcargs)
void setInputCallback(char * cbfunc)
void setHangupHook(char * func, char * arg)
void setHangupHook(char * func)
bool ready()
int originate(CoreSession * a_leg_session, char * dest, int timeout)
void setLUA()
alias setInputCallBack setInputCallback
"""

DBH: Final = """
new Dbh(char * dsn, char * user, char * pass)
new Dbh(char * dsn, char * user)
new Dbh(char * dsn)
bool release()
bool connected()
bool test_reactive(char * test_sql, char * drop_sql, char * reactive_sql)
bool test_reactive(char * test_sql, char * drop_sql)
bool test_reactive(char * test_sql)
bool query(char * sql, SWIGLUA_FN lua_fun = nil)
rows query_rows(char * sql)
int affected_rows()
char * last_error()
void clear_error()
int load_extension(char const * extension)
"""

JSON: Final = """
new JSON()
json decode(char const * str)
bytes encode(SWIGLUA_TABLE lua_table)
json execute(char const * command)
json execute(SWIGLUA_TABLE table)
bytes execute2(char const * command)
bytes execute2(SWIGLUA_TABLE table)
void encode_empty_table_as_object(bool flag)
void return_unformatted_json(bool flag)
"""
