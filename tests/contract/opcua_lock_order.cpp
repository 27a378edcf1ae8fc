// SPDX-License-Identifier: Apache-2.0
// For ThreadSanitizer. open62541 takes its service lock and its timers' lock in either order, but never without the
// event loop's lock around them, or before a second thread knows of them. ThreadSanitizer does not see that such a
// cycle can not close.
#if defined(__SANITIZE_THREAD__)
extern "C" const char* __tsan_default_suppressions();
extern "C" const char* __tsan_default_suppressions() { return "deadlock:UA_EventLoopPOSIX_addCyclicCallback\n"; }
#endif
