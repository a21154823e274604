# SPDX-License-Identifier: MIT

include $(sort $(wildcard $(BR2_EXTERNAL_HAKMEM_PATH)/package/*/*.mk))
